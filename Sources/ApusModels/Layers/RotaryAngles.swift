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

    /// [tokens, 2, headDim / 2]: cosines, then sines.
    package func angles(positions: [Int32], lengths: [Int32]) -> [Float] {
        var result: [Float] = []
        result.reserveCapacity(positions.count * spec.headDim)
        var cached: (length: Int32, frequencies: [Float]) = (0, frequencies)
        for (position, length) in zip(positions, lengths) {
            if !spec.dependsOnPositionOnly, cached.length != length {
                cached = (length, spec.inverseFrequencies(length: Int(length)))
            }
            append(position, cached.frequencies, to: &result)
        }
        return result
    }

    private func append(_ position: Int32, _ frequencies: [Float], to rows: inout [Float]) {
        let scale = spec.attentionFactor
        for frequency in frequencies { rows.append(cosf(Float(position) * frequency) * scale) }
        for frequency in frequencies { rows.append(sinf(Float(position) * frequency) * scale) }
    }
}
