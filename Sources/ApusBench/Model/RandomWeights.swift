import Apus
import ApusCompute

/// Numbers like those of a freshly made model: a standard deviation of 0.02, and norms of ones.
enum RandomWeights {
    /// Fills a tensor. The bytes must be aligned to the type.
    static func fill(_ bytes: UnsafeMutableRawBufferPointer, _ dtype: DType, isNorm: Bool, seed: UInt64) {
        if dtype == .float32 {
            fill(bytes.bindMemory(to: UInt32.self), table(isNorm) { $0.bitPattern }, seed)
        } else if dtype == .bfloat16 {
            fill(
                bytes.bindMemory(to: UInt16.self), table(isNorm) { UInt16(truncatingIfNeeded: $0.bitPattern >> 16) },
                seed)
        } else {
            fill(bytes.bindMemory(to: UInt16.self), table(isNorm, HalfPrecision.float16), seed)
        }
    }

    /// 4096 values at even distances: what they are matters less than that they differ.
    private static func table<Bits>(_ isNorm: Bool, _ bits: (Float) -> Bits) -> [Bits] {
        (0..<4096).map { bits(isNorm ? 1 : (Float($0) - 2047.5) / 2048 * 0.0346) }
    }

    private static func fill<Bits>(_ values: UnsafeMutableBufferPointer<Bits>, _ table: [Bits], _ seed: UInt64) {
        var state = (seed &+ 1) &* 0x9E37_79B9_7F4A_7C15
        table.withUnsafeBufferPointer { table in
            var index = 0
            while index < values.count {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                var draws = state
                let end = min(index + 5, values.count)
                while index < end {
                    values[index] = table[Int(draws & 4095)]
                    draws >>= 12
                    index += 1
                }
            }
        }
    }
}
