/// What a weight of a layer is for. In the order in which they are used.
package enum WeightRole: Sendable, CaseIterable {
    case attentionNorm
    case query, key, value
    case queryNorm, keyNorm
    case output
    case mlpNorm
    case gate, up
    case down

    /// Matrices with the same input are multiplied together: the name of their product; `nil` for vectors.
    var product: String? {
        switch self {
        case .attentionNorm, .queryNorm, .keyNorm, .mlpNorm: nil
        case .query, .key, .value: "query-key-value"
        case .output: "output"
        case .gate, .up: "gate-up"
        case .down: "down"
        }
    }
}
