#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Cosines and sines for the tokens of a batch. They cost far less than a layer, so none are kept: a table of them would
/// grow with the longest context.
package struct RotaryAngles: Sendable {
    private let spec: RotarySpec
    private let frequencies: [Float]

    package init(_ spec: RotarySpec) {
        self.spec = spec
        frequencies = spec.inverseFrequencies()
    }

    /// [tokens, 2, turned / 2]: cosines, then sines.
    package func angles(positions: [Int32], lengths: [Int32]) -> [Float] {
        var result = [Float](repeating: 0, count: positions.count * spec.turned)
        write(positions: positions, lengths: lengths) { result[$0] = $1 }
        return result
    }

    /// Gives each of them to `put`, by its place in that order.
    func write(positions: [Int32], lengths: [Int32], _ put: (_ index: Int, _ angle: Float) -> Void) {
        let scale = spec.attentionFactor
        var cached: (length: Int32, frequencies: [Float]) = (0, frequencies)
        for (token, (position, length)) in zip(positions, lengths).enumerated() {
            if !spec.dependsOnPositionOnly, cached.length != length {
                cached = (length, spec.inverseFrequencies(length: Int(length)))
            }
            let half = cached.frequencies.count
            for (pair, frequency) in cached.frequencies.enumerated() {
                put((2 * token) * half + pair, cosf(Float(position) * frequency) * scale)
                put((2 * token + 1) * half + pair, sinf(Float(position) * frequency) * scale)
            }
        }
    }
}
