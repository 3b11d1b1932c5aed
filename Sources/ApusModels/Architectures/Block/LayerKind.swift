/// One block of a decoder: attention and an MLP, whose results are added to what came in.
package struct LayerKind: Sendable, Equatable {
    package enum Residual: Sendable, Equatable {
        /// x += attention(norm(x)), then x += mlp(norm(x)).
        case serial
        /// x += attention(norm(x)) + mlp(norm(x)); without a norm of its own, the MLP has attention's.
        case parallel
        /// x = norm(x + attention(x)), then x = norm(x + mlp(x)).
        case normedSum
        /// x = norm(x), x += attention(x), then the same with the MLP.
        case normedInput
    }

    package var attention: AttentionSpec
    /// What stands in the place of attention.
    package var recurrent: RecurrentSpec?
    package var mlp: MLPSpec
    /// Of what comes in.
    package var attentionNorm: NormSpec?
    package var mlpNorm: NormSpec?
    /// Of results, before they are added.
    package var attentionAfterNorm: NormSpec?
    package var mlpAfterNorm: NormSpec?
    package var residual = Residual.serial
    /// Whether what the layer makes is multiplied with a number of its own in the end.
    package var hasOutputScale = false
    /// What both results are multiplied with before they are added.
    package var branchScale: Float = 1

    package init(attention: AttentionSpec, mlp: MLPSpec, norm: NormSpec) {
        (self.attention, self.mlp, attentionNorm, mlpNorm) = (attention, mlp, norm, norm)
    }

    /// Norms only of results, instead of what comes in.
    package mutating func normResults() {
        (attentionAfterNorm, mlpAfterNorm) = (attentionNorm, mlpNorm)
        (attentionNorm, mlpNorm) = (nil, nil)
    }

    /// All norms of hidden states.
    package mutating func setNorms(_ norm: NormSpec) {
        for path in [\Self.attentionNorm, \.mlpNorm, \.attentionAfterNorm, \.mlpAfterNorm]
        where self[keyPath: path] != nil {
            self[keyPath: path] = norm
        }
    }
}
