extension Double {
    /// A number as Rust's serde_json reads it unless it is built with `float_roundtrip`: the digits as one integer, the first nineteen or
    /// twenty of them, times or divided by a power of ten. One in eight of 17 digits is another than the nearest, so that readers of a
    /// file that depend on the last bit agree only if they read alike. `nil` for what is no number.
    init?(serde text: some StringProtocol) {
        var digits = text.utf8[...]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits = digits.dropFirst() }
        var (significand, exponent) = (UInt64(0), 0)
        var (isFraction, isFull) = (false, false)
        while let byte = digits.first, byte != UInt8(ascii: "e"), byte != UInt8(ascii: "E") {
            digits = digits.dropFirst()
            if byte == UInt8(ascii: ".") {
                isFraction = true
                continue
            }
            let (tens, isLarge) = significand.multipliedReportingOverflow(by: 10)
            let (sum, isLarger) = tens.addingReportingOverflow(UInt64(byte &- UInt8(ascii: "0")))
            // What fits no more is left out; before the point it counts as a place.
            isFull = isFull || isLarge || isLarger
            if !isFull { significand = sum }
            if isFull != isFraction { exponent += isFull ? 1 : -1 }
        }
        if digits.first != nil {
            guard let written = Int(String(decoding: digits.dropFirst(), as: UTF8.self)) else { return nil }
            exponent = max(min(exponent + max(min(written, 1 << 20), -1 << 20), 1 << 20), -1 << 20)
        }
        var value = Double(significand)
        while exponent < -308, value != 0 {
            value /= 1e308
            exponent += 308
        }
        guard let power = Double("1e\(min(abs(exponent), 309))") else { return nil }
        if value != 0 { value = exponent < 0 ? value / power : value * power }
        self = isNegative ? -value : value
    }
}
