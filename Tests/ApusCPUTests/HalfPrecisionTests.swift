import ApusCompute
import CApusKernels
import Testing

@Suite("Half precision")
struct HalfPrecisionTests {
    private func kernels<From: BitwiseCopyable, To: BitwiseCopyable>(
        _ values: [From], _ from: apus_dtype, _ to: apus_dtype, _ zero: To
    ) -> [To] {
        var results = [To](repeating: zero, count: values.count)
        apus_convert(values, from, &results, to, values.count)
        return results
    }

    /// Every pattern widens to the same bits in the kernels, what is no number included, and back.
    @Test(arguments: [APUS_F16, APUS_BF16].map(\.rawValue))
    func everyPatternIsThatOfTheKernels(_ type: UInt32) {
        let type = apus_dtype(type)
        let patterns = Array(UInt16.min...UInt16.max)
        let floats = patterns.map {
            type == APUS_F16 ? HalfPrecision.float(float16: $0) : HalfPrecision.float(bfloat16: $0)
        }
        let back = floats.map { type == APUS_F16 ? HalfPrecision.float16($0) : HalfPrecision.bfloat16($0) }
        #expect(floats.map(\.bitPattern) == kernels(patterns, type, APUS_F32, Float(0)).map(\.bitPattern))
        #expect(back == kernels(floats, APUS_F32, type, UInt16(0)))
        for (pattern, (float, back)) in zip(patterns, zip(floats, back)) where !float.isNaN { #expect(back == pattern) }
    }

    /// So does every float between two neighbouring halves round, at a few places between them.
    @Test(arguments: [APUS_F16, APUS_BF16].map(\.rawValue))
    func roundingIsThatOfTheKernels(_ type: UInt32) {
        let type = apus_dtype(type)
        let floats = (0..<UInt32(1 << 20)).map { Float(bitPattern: $0 &* 4093 &+ $0 << 12) }
        let own = floats.map { type == APUS_F16 ? HalfPrecision.float16($0) : HalfPrecision.bfloat16($0) }
        #expect(own == kernels(floats, APUS_F32, type, UInt16(0)))
    }

    #if !(os(macOS) && arch(x86_64))
        @Test func everyFloat16GoesThereAndBack() {
            for bits in UInt16.min...UInt16.max {
                let own = HalfPrecision.float(float16: bits)
                let swift = Float(Float16(bitPattern: bits))
                #expect(own.isNaN ? swift.isNaN : own.bitPattern == swift.bitPattern)
                if !own.isNaN { #expect(HalfPrecision.float16(own) == bits) }
            }
        }

        @Test func roundingToFloat16() {
            var random = SystemRandomNumberGenerator()
            for _ in 0..<200_000 {
                // All exponents around those of float16, ties among them.
                let fraction = UInt32.random(in: 0..<1 << 23, using: &random) & (Bool.random() ? ~0 : 0x7FF000)
                let exponent = UInt32.random(in: 95...150, using: &random)
                let value = Float(
                    bitPattern: UInt32.random(in: 0...1, using: &random) << 31 | exponent << 23 | fraction)
                #expect(HalfPrecision.float16(value) == Float16(value).bitPattern, "\(value)")
            }
            for value in [0, -0.0, .infinity, -.infinity, 65504, 65519.99, 65520, 1e-8, 2.98e-8, 5.96e-8] as [Float] {
                #expect(HalfPrecision.float16(value) == Float16(value).bitPattern, "\(value)")
            }
        }
    #endif

    @Test(arguments: [(1 as Float, 0x3F80 as UInt16), (1.00390625, 0x3F80), (1.01171875, 0x3F82), (-2, 0xC000)])
    func roundingToBfloat16(value: Float, bits: UInt16) {
        #expect(HalfPrecision.bfloat16(value) == bits)
    }

    @Test func limitsOfBfloat16() {
        #expect(HalfPrecision.bfloat16(.greatestFiniteMagnitude) == 0x7F80)
        #expect(HalfPrecision.float(bfloat16: HalfPrecision.bfloat16(.nan)).isNaN)
        #expect(HalfPrecision.float(bfloat16: HalfPrecision.bfloat16(Float(bitPattern: 0x7F80_0001))).isNaN)
    }
}
