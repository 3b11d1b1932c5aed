/// What a weight is for. In the order in which they are used.
package enum WeightRole: Sendable, CaseIterable {
    // Before the layers.
    case embedding, positions
    case inputProjection
    case embeddingNorm
    // In a layer.
    case attentionNorm
    case query, key, value
    case queryNorm, keyNorm
    case sinks
    case output
    case attentionAfterNorm
    case mlpNorm
    case gate, up
    case down
    case mlpAfterNorm
    // After them.
    case finalNorm
    case outputProjection
    case head

    /// Matrices with the same input are multiplied together: the name of their product; `nil` for what is in none.
    var product: String? {
        switch self {
        case .query, .key, .value: "query-key-value"
        case .output: "output"
        case .gate, .up: "gate-up"
        case .down: "down"
        case .inputProjection: "input"
        case .outputProjection: "projection"
        case .head: "head"
        default: nil
        }
    }
}
