/// One step between a model's logits and the choice of a token: changes the logits of one sequence in place.
///
/// Dropped tokens get minus infinity. Arithmetic is in float32, as in transformers.
package protocol LogitsProcessor: Sendable {
    /// `logits`: one per token of the vocabulary. `history`: the tokens so far.
    func process(_ logits: inout MutableSpan<Float>, _ history: TokenHistory)
}

/// The tokens of a sequence so far.
package struct TokenHistory: Sendable {
    /// Prompt and generated tokens.
    package var tokens: [Int]
    package let promptLength: Int

    package init(prompt: [Int], generated: [Int] = []) {
        tokens = prompt + generated
        promptLength = prompt.count
    }

    package var newTokenCount: Int { tokens.count - promptLength }
}
