/// What brings tokens of a sequence together in a layer, where it is not attention: a state for each sequence, which every
/// token changes.
package enum RecurrentSpec: Sendable, Equatable {
    case deltaNet(DeltaNetSpec)
    case shortConvolution(ShortConvolutionSpec)

    /// Floats of a sequence's states: of the convolution, and of the rest.
    package var stateCounts: (convolution: [Int], matrix: [Int]) {
        switch self {
        case .deltaNet(let net):
            ([net.taps - 1, net.mixedWidth], [net.valueHeads, net.keyDim, net.valueDim])
        case .shortConvolution(let convolution): ([convolution.taps - 1, convolution.channels], [])
        }
    }
}

/// Gated delta nets (Yang et al., arXiv 2412.06464).
package struct DeltaNetSpec: Sendable, Equatable {
    package var keyHeads: Int
    package var valueHeads: Int
    package var keyDim: Int
    package var valueDim: Int
    package var taps: Int
    package var norm: NormSpec

    package var valueWidth: Int { valueHeads * valueDim }
    package var mixedWidth: Int { 2 * keyHeads * keyDim + valueWidth }
}

/// Short convolutions between two gates, as LFM2 has them.
package struct ShortConvolutionSpec: Sendable, Equatable {
    package var channels: Int
    package var taps: Int
    package var hasBias = false
}
