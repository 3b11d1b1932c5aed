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
    /// Σ exp(x - largest) in float64, for elements that are no larger: eight sums side by side, then those in order, to a
    /// relative error of 1e-12.
    func sumOfExponentials(below largest: Float) -> Double {
        withUnsafeBufferPointer { values in
            let whole = values.count - values.count % 8
            var sums = SIMD8<Double>.zero
            if let start = values.baseAddress {
                for index in stride(from: 0, to: whole, by: 8) {
                    let next = UnsafeRawPointer(start + index).loadUnaligned(as: SIMD8<Float>.self)
                    sums += Self.exponential(SIMD8<Double>(next) - Double(largest))
                }
            }
            var sum = 0.0
            for lane in 0..<8 { sum += sums[lane] }
            for value in values[whole...] { sum += ApusGeneration.exponential(Double(value) - Double(largest)) }
            return sum
        }
    }

    /// exp(x) = 2ⁿ · exp(r), n the integer next to x / ln 2; of arguments up to 0, and nothing below -700.
    @inline(__always) private static func exponential(_ x: SIMD8<Double>) -> SIMD8<Double> {
        let x = x.replacing(with: -700, where: x .< -700)
        // Added to this, a number is rounded to an integer, which stands in the last bits of the sum.
        let shift = SIMD8<Double>(repeating: 0x1.8p52)
        let shifted = x * 1.4426950408889634 + shift
        let r = x - (shifted - shift) * 0.6931471805599453
        var series = SIMD8<Double>(repeating: 1.0 / 3_628_800)
        for factor in [1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1] {
            series = series * r + factor
        }
        let bits = unsafeBitCast(shifted, to: SIMD8<UInt64>.self) &<< 52
        return series * unsafeBitCast(bits &+ 0x3ff0_0000_0000_0000, to: SIMD8<Double>.self)
    }
}
