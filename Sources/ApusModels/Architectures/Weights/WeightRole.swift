/// What a weight is for. In the order in which they are used.
package enum WeightRole: Sendable, CaseIterable {
    // Before the layers.
    case embedding, positions
    case inputProjection
    case embeddingNorm
    case perLayerTable, perLayerProjection, perLayerNorm
    // In a layer.
    case attentionNorm
    case query, outputGate, key, value
    case queryNorm, keyNorm
    case sinks
    case mixed, mixedGate
    case forgetting, learning
    case convolution, decay, decayOffset, deltaNorm
    case convolutionGate, convolutionInput, convolutionOutputGate
    case output
    case attentionAfterNorm
    case mlpNorm
    case gate, up
    case down
    case router, sharedRouter
    case choiceBias, expertScales
    case routerNorm, expertNorm, expertAfterNorm, denseAfterNorm
    case expertGate, expertUp, expertDown
    case sharedGate, sharedUp, sharedDown
    case mlpAfterNorm
    case perLayerGate, perLayerOutput, perLayerAfterNorm
    case outputScale
    // After them.
    case finalNorm
    case outputProjection
    case head

    /// Whether it brings tokens together, or is of what stands in the place of that.
    var isOfMixer: Bool {
        switch self {
        case .query, .outputGate, .key, .value, .queryNorm, .keyNorm, .sinks, .mixed, .mixedGate, .forgetting,
            .learning,
            .convolution, .decay, .decayOffset, .deltaNorm, .convolutionGate, .convolutionInput, .convolutionOutputGate,
            .output:
            true
        default: false
        }
    }

    /// Whether there is one for each expert.
    var isOfExperts: Bool { self == .expertGate || self == .expertUp || self == .expertDown }

    /// Whether a matrix is small and decides much, so that it is float32 and never rounded.
    var isExact: Bool { [.router, .sharedRouter, .forgetting, .learning].contains(self) }

    /// Matrices with the same input are multiplied together: the name of their product; `nil` for what is in none.
    var product: String? {
        switch self {
        case .query, .outputGate, .key, .value: "query-key-value"
        case .mixed, .mixedGate, .convolutionGate, .convolutionInput, .convolutionOutputGate: "mixer"
        case .forgetting, .learning: "decay"
        case .output: "output"
        case .gate, .up: "gate-up"
        case .down: "down"
        case .router, .sharedRouter: "router"
        case .expertGate, .expertUp: "experts"
        case .expertDown: "experts-down"
        case .sharedGate, .sharedUp: "shared"
        case .sharedDown: "shared-down"
        case .inputProjection: "input"
        case .perLayerProjection: "per-layer"
        case .perLayerGate: "per-layer-gate"
        case .perLayerOutput: "per-layer-output"
        case .outputProjection: "projection"
        case .head: "head"
        default: nil
        }
    }
}
