/// Takes from the logit of each new token so far, once (presence) and for each time that it was chosen (frequency), as OpenAI's
/// interface defines it; tokens of the prompt do not count.
package struct OccurrencePenalty: LogitsProcessor {
    private let presence: Float
    private let frequency: Float

    package init(presence: Double, frequency: Double) {
        self.presence = Float(presence)
        self.frequency = Float(frequency)
    }

    package func process(_ logits: inout MutableSpan<Float>, _ history: TokenHistory) {
        var counts: [Int: Int] = [:]
        for token in history.tokens[history.promptLength...] { counts[token, default: 0] += 1 }
        for (token, count) in counts where token >= 0 && token < logits.count {
            logits[token] -= presence + frequency * Float(count)
        }
    }
}
