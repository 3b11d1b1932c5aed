package import ApusCompute

/// One block of a decoder: attention and an MLP, each behind a norm and added to what came in.
package struct LayerKind: Sendable, Equatable {
    package var attention: AttentionSpec
    package var mlp: MLPSpec
    package var attentionNorm: NormSpec
    package var mlpNorm: NormSpec
    /// What the results of both are multiplied with before they are added.
    package var branchScale: Float = 1
}

/// Attention of one kind of layer.
package struct AttentionSpec: Sendable, Equatable {
    package var heads: Int
    package var kvHeads: Int
    package var headDim: Int
    /// What scores are multiplied with; 1 / √headDim by default.
    package var scale: Float
    /// Most keys that a token sees, its own among them; all up to its own if `nil`.
    package var window: Int?
    /// Of each head of queries and keys, before they are turned.
    package var headNorm: NormSpec?
    /// Whether queries and keys are turned by their positions.
    package var isRotary = true
    /// Of queries, keys and values.
    package var hasInputBias = false
    package var hasOutputBias = false

    package init(heads: Int, kvHeads: Int, headDim: Int) {
        (self.heads, self.kvHeads, self.headDim) = (heads, kvHeads, headDim)
        scale = 1 / Float(headDim).squareRoot()
    }

    package var rule: AttentionRule { AttentionRule(scale: scale, window: window) }
    package var queryWidth: Int { heads * headDim }
    package var keyWidth: Int { kvHeads * headDim }
}

/// down(activation(gate(x)) · up(x))
package struct MLPSpec: Sendable, Equatable {
    package var width: Int
    package var activation: Activation
    package var hasBias = false

    package init(width: Int, activation: Activation) {
        (self.width, self.activation) = (width, activation)
    }
}

/// x / √(mean(x²) + epsilon) · weight
package struct NormSpec: Sendable, Equatable {
    package var epsilon: Float

    package init(epsilon: Double) { self.epsilon = Float(epsilon) }
}
