#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

func exponential(_ value: Float) -> Float { exp(value) }
func exponential(_ value: Double) -> Double { exp(value) }
func logarithm(_ value: Double) -> Double { log(value) }

extension MutableSpan<Float> {
    /// The largest element, `nil` if there is none or one is not a number.
    var largest: Float? { span.largest }
}

extension Span<Float> {
    /// The largest element, `nil` if there is none or one is not a number.
    var largest: Float? { withUnsafeBufferPointer(Self.largest) }

    /// Sixteen lanes at a time: every token of every sequence looks through a whole vocabulary.
    private static func largest(_ values: UnsafeBufferPointer<Float>) -> Float? {
        guard let start = values.baseAddress, !values.isEmpty else { return nil }
        let whole = values.count - values.count % 16
        var lanes = SIMD16<Float>(repeating: -.infinity)
        var isNumber = SIMDMask<SIMD16<Int32>>(repeating: true)
        for index in stride(from: 0, to: whole, by: 16) {
            let next = UnsafeRawPointer(start + index).loadUnaligned(as: SIMD16<Float>.self)
            lanes.replace(with: next, where: next .> lanes)
            isNumber .&= (next .== next)
        }
        var largest = lanes.max()
        var hasNaN = isNumber != SIMDMask(repeating: true)
        for value in values[whole...] {
            largest = value > largest ? value : largest
            hasNaN = hasNaN || value.isNaN
        }
        return hasNaN ? nil : largest
    }
}
