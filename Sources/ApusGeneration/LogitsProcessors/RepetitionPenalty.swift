/// Makes tokens that already occurred, in the prompt or after it, less likely (arXiv:1909.05858, section 4.1).
package struct RepetitionPenalty: LogitsProcessor {
    private let penalty: Float

    package init(_ penalty: Double) { self.penalty = Float(penalty) }

    package func process(_ logits: inout MutableSpan<Float>, _ history: TokenHistory) {
        // Read all before writing any: a token that occurred twice is penalised once.
        var penalised: [(token: Int, logit: Float)] = []
        penalised.reserveCapacity(history.tokens.count)
        for token in history.tokens where token >= 0 && token < logits.count {
            let logit = logits[token]
            penalised.append((token, logit < 0 ? logit * penalty : logit / penalty))
        }
        for (token, logit) in penalised { logits[token] = logit }
    }
}
