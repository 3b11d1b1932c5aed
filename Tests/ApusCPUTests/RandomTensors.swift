import ApusCompute
import ApusTestSupport

extension HostTensor {
    /// Even between -scale and scale.
    static func random(_ dimensions: [Int], seed: UInt64, scale: Float = 1) throws -> HostTensor {
        var generator = SplitMix64(seed: seed)
        let values = (0..<dimensions.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &generator) * scale }
        return try HostTensor(values, shape: dimensions)
    }
}
