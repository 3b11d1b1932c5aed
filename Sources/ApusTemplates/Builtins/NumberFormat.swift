#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Numbers as C writes them.
enum NumberFormat {
    /// A positive number with `f`, `e` or `g`, in C's format; digits are right to the last.
    static func written(
        _ number: Double, _ letter: Unicode.Scalar, precision: Int, isAlternate: Bool = false
    ) throws(TemplateError) -> String {
        guard number.isFinite else { return number.isNaN ? "nan" : "inf" }
        guard (0...500).contains(precision) else {
            throw TemplateError(.unsupported, "a number with more than 500 digits")
        }
        var buffer = [CChar](repeating: 0, count: 1024)
        let format = "%" + (isAlternate ? "#" : "") + ".*" + String(letter)
        let count = withVaList([CInt(precision), number]) { vsnprintf(&buffer, buffer.count, format, $0) }
        guard count >= 0, count < buffer.count else { throw TemplateError(.runtime, "a number cannot be written") }
        return String(decoding: buffer[..<Int(count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The nearest number of so many decimals, halves of the exact value to the even one.
    static func rounded(_ number: Double, decimals: Int) throws(TemplateError) -> Double {
        guard number.isFinite, number != 0 else { return number }
        if decimals > 320 { return number }
        guard decimals >= 0 else { throw TemplateError(.unsupported, "a float rounded to tens") }
        return Double(try written(number, "f", precision: decimals)) ?? number
    }
}
