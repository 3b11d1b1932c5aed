#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Cosines and sines for the tokens of a batch. Rows that depend on the position alone are computed once.
package struct RotaryTable: Sendable {
    private let spec: RotarySpec
    private let frequencies: [Float]
    /// [positions seen, 2, headDim / 2]
    private var rows: [Float] = []

    package init(_ spec: RotarySpec) {
        self.spec = spec
        frequencies = spec.inverseFrequencies()
    }

    /// [tokens, 2, headDim / 2]: cosines, then sines.
    package mutating func angles(positions: [Int32], lengths: [Int32]) -> [Float] {
        var result: [Float] = []
        result.reserveCapacity(positions.count * spec.headDim)
        guard spec.dependsOnPositionOnly else {
            var cached: (length: Int32, frequencies: [Float]) = (0, frequencies)
            for (position, length) in zip(positions, lengths) {
                if cached.length != length { cached = (length, spec.inverseFrequencies(length: Int(length))) }
                append(position, cached.frequencies, to: &result)
            }
            return result
        }
        let known = rows.count / spec.headDim
        if let last = positions.max(), last >= known {
            for position in Int32(known)...last { append(position, frequencies, to: &rows) }
        }
        for position in positions {
            let start = Int(position) * spec.headDim
            result.append(contentsOf: rows[start..<start + spec.headDim])
        }
        return result
    }

    private func append(_ position: Int32, _ frequencies: [Float], to rows: inout [Float]) {
        let scale = spec.attentionFactor
        for frequency in frequencies { rows.append(cosf(Float(position) * frequency) * scale) }
        for frequency in frequencies { rows.append(sinf(Float(position) * frequency) * scale) }
    }
}
