/// x / √(mean(x²) + epsilon) · weight + bias, row by row (Zhang & Sennrich, arXiv 1910.07467); of a centered one, the row's mean
/// is taken from x before (Ba et al., arXiv 1607.06450).
package struct Norm: Sendable {
    /// float32 [width]
    package let weight: Tensor
    /// float32 [width]
    package let bias: Tensor?
    package let epsilon: Float
    package let isCentered: Bool

    package init(weight: Tensor, bias: Tensor? = nil, epsilon: Float, isCentered: Bool = false) {
        self.weight = weight
        self.bias = bias
        self.epsilon = epsilon
        self.isCentered = isCentered
    }
}

/// A norm of queries, keys or values.
package struct HeadNorm: Sendable {
    /// Its weights are [headDim], the same for all heads, or [heads · headDim].
    package var norm: Norm
    /// Whether all heads of a token have one norm together, rather than each its own.
    package var spansHeads: Bool

    package init(_ norm: Norm, spansHeads: Bool = false) { (self.norm, self.spansHeads) = (norm, spansHeads) }
}

/// What is done to queries, keys and values before they meet, in this order unless it says otherwise.
package struct HeadRule: Sendable {
    /// All three are kept within ± this.
    package var clip: Float?
    /// Norms come before that.
    package var clipsNormed = false
    package var query: HeadNorm?
    package var key: HeadNorm?
    package var value: HeadNorm?
    /// Elements 2i and 2i + 1 turn together, rather than i and i + turned / 2.
    package var turnsNeighbours = false
    /// Norms come after the rotation.
    package var normsComeLast = false
    /// float32 [tokens]: what each token's queries are multiplied with in the end.
    package var queryScales: Tensor?

    package init() {}
}
