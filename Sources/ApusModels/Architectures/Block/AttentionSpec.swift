package import ApusCompute

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Attention of one kind of layer.
package struct AttentionSpec: Sendable, Equatable {
    package var heads: Int
    package var kvHeads: Int
    package var headDim: Int
    /// What scores are multiplied with; 1 / √headDim by default.
    package var scale: Float
    /// Most keys that a token sees, its own among them; all up to its own if `nil`.
    package var window: Int?
    /// Scores become cap · tanh(score / cap).
    package var softCap: Float?
    /// What a key's score loses for each position that it lies before the token, for each head.
    package var slopes: [Float]?
    /// Whether what heads give is multiplied with the sigmoid of a product of its own.
    package var hasOutputGate = false
    /// Whether each head has a score beside those of the keys, without a value.
    package var hasSinks = false
    /// Queries, keys and values are kept within ± this.
    package var clip: Float?
    /// Whether norms of heads come before that.
    package var clipsNormed = false
    /// Of queries and of keys.
    package var headNorm: HeadNormSpec?
    /// Of values.
    package var valueNorm: NormSpec?
    /// Whether values are what keys are before their norm and rotation.
    package var valuesAreKeys = false
    /// The layer whose keys and values this one takes up, instead of having its own.
    package var sharedCache: Int?
    /// Whether these norms come after the rotation.
    package var normsComeLast = false
    /// Which of the model's rotary embeddings turns queries and keys; none if `nil`.
    package var rotary: Int? = 0
    /// Of queries, keys and values.
    package var hasInputBias = false
    package var hasOutputBias = false

    package init(heads: Int, kvHeads: Int, headDim: Int) {
        (self.heads, self.kvHeads, self.headDim) = (heads, kvHeads, headDim)
        scale = 1 / Float(headDim).squareRoot()
    }

    package var hasBias: Bool {
        get { hasInputBias && hasOutputBias }
        set { (hasInputBias, hasOutputBias) = (newValue, newValue) }
    }

    package var queryWidth: Int { heads * headDim }
    package var keyWidth: Int { kvHeads * headDim }

    /// The slopes of Press et al., arXiv 2108.12409, for any number of heads: 2^(-8i/P), i from 1, for the largest power of two
    /// P within them, then every second of those of 2P.
    package static func alibiSlopes(heads: Int, steepest: Double = 8) -> [Float] {
        var power = 1
        while power * 2 <= heads { power *= 2 }
        func slope(_ index: Int, of count: Int) -> Float {
            Float(exp2(-steepest * Double(index) / Double(count)))
        }
        return (0..<heads).map { $0 < power ? slope($0 + 1, of: power) : slope(2 * ($0 - power) + 1, of: 2 * power) }
    }
}
