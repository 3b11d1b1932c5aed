/// What is divided by, and what comes after.
package struct NormSpec: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// x / √(mean(x²) + epsilon) (Zhang & Sennrich, arXiv 1910.07467)
        case rms
        /// The same of x less its mean (Ba et al., arXiv 1607.06450).
        case layer
    }

    package var kind: Kind
    package var epsilon: Float
    /// Whether there is a vector to multiply with, and one to add.
    package var hasWeight = true
    package var hasBias = false
    /// What is added to each weight when it is loaded.
    package var weightOffset: Float = 0
    /// What it is multiplied with then, and its name.
    package var weightScale: Float = 1
    package var weightName = "weight"

    package init(_ kind: Kind = .rms, epsilon: Double) { (self.kind, self.epsilon) = (kind, Float(epsilon)) }
}

/// Norms of the heads of queries, keys or values.
package struct HeadNormSpec: Sendable, Equatable {
    package enum Span: Sendable, Equatable {
        /// Each head on its own, all with the same weights.
        case head
        /// Each head on its own, with weights of its own: one tensor of [heads, headDim].
        case headWithOwnWeights
        /// The same as a list of tensors, `norms.0` and so on.
        case headWithListedWeights
        /// All heads together.
        case row
    }

    package var norm: NormSpec
    package var span: Span

    package init(_ norm: NormSpec, _ span: Span = .head) { (self.norm, self.span) = (norm, span) }
}
