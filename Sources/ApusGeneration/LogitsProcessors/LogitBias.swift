/// Adds a number to the logits of some tokens.
package struct LogitBias: LogitsProcessor {
    private let biases: [(token: Int, bias: Float)]

    package init(_ biases: [Int: Double]) {
        self.biases = biases.sorted { $0.key < $1.key }.map { ($0.key, Float($0.value)) }
    }

    package func process(_ logits: inout MutableSpan<Float>, _ history: TokenHistory) {
        for (token, bias) in biases where token >= 0 && token < logits.count { logits[token] += bias }
    }
}
