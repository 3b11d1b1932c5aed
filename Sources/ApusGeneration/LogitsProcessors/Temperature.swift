/// Divides the logits: below 1 the distribution sharpens, above 1 it flattens.
package struct Temperature: LogitsProcessor {
    private let temperature: Float

    package init(_ temperature: Double) { self.temperature = Float(temperature) }

    package func process(_ logits: inout MutableSpan<Float>, _ history: TokenHistory) {
        for token in logits.indices { logits[token] /= temperature }
    }
}
