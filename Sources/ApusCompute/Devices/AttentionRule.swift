/// How a layer's attention weighs what a token sees.
package struct AttentionRule: Sendable {
    /// What scores are multiplied with.
    package var scale: Float
    /// Most keys that a token sees, its own among them; all up to its own if `nil`.
    package var window: Int?
    /// Positions of a chunk: a token sees keys of its own chunk only.
    package var chunk: Int?
    /// Scores become cap · tanh(score / cap).
    package var softCap: Float?
    /// float32 [heads]: each key's score gets slope · (key's position - own position) in addition (Press et al., arXiv
    /// 2108.12409).
    package var slopes: Tensor?
    /// float32 [heads]: a score beside those of the keys that takes its share of the weights, and has no value.
    package var sinks: Tensor?

    package init(scale: Float, window: Int? = nil, chunk: Int? = nil) {
        (self.scale, self.window, self.chunk) = (scale, window, chunk)
    }
}
