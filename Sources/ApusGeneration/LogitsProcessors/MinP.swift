/// Drops tokens less probable than a fraction of the best one's probability (arXiv:2407.01082).
package struct MinP: LogitsProcessor {
    private let fraction: Float

    package init(_ fraction: Double) { self.fraction = Float(fraction) }

    package func process(_ logits: inout MutableSpan<Float>, _ history: TokenHistory) {
        // A probability over the best one's is the exponential of the difference: no sum is needed.
        guard let largest = logits.largest, largest.isFinite else { return }
        for token in logits.indices where exponential(logits[token] - largest) < fraction {
            logits[token] = -.infinity
        }
    }
}
