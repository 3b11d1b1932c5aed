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

extension Span<Float> {
    /// Σ exp(x - largest) for elements that are no larger, to a relative error of 1e-6: sixteen sums of at most 32 elements
    /// side by side, those in float64 and in order.
    func sumOfExponentials(below largest: Float) -> Double {
        withUnsafeBufferPointer { values in
            guard let start = values.baseAddress else { return 0 }
            let whole = values.count - values.count % 16
            var sum = 0.0
            for block in stride(from: 0, to: whole, by: 512) {
                var sums = SIMD16<Float>.zero
                for index in stride(from: block, to: min(block + 512, whole), by: 16) {
                    let next = UnsafeRawPointer(start + index).loadUnaligned(as: SIMD16<Float>.self)
                    sums += Self.exponential(next - largest)
                }
                sum += Double(sums.sum())
            }
            for value in values[whole...] { sum += Double(ApusGeneration.exponential(value - largest)) }
            return sum
        }
    }

    /// exp(x) = 2ⁿ · exp(r), n the integer next to x / ln 2, of arguments up to 0: exp(r) by its Taylor series, ln 2 in two parts
    /// (Cody and Waite). Nothing is left below -87.
    @inline(__always) private static func exponential(_ x: SIMD16<Float>) -> SIMD16<Float> {
        let x = x.replacing(with: -87, where: x .< -87)
        // Added to this, a number is rounded to an integer, which stands in the last bits of the sum.
        let shift = SIMD16<Float>(repeating: 0x1.8p23)
        let shifted = x * 1.442695 + shift
        let n = shifted - shift
        let r = x - n * 0.693359375 + n * 2.12194440e-4
        var series = SIMD16<Float>(repeating: 1.0 / 720)
        for factor: Float in [1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1] { series = series * r + factor }
        let bits = unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &<< 23
        return series * unsafeBitCast(bits &+ 0x3f80_0000, to: SIMD16<Float>.self)
    }
}
