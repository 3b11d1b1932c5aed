package import ApusTokenizers

/// One prompt to continue.
package struct GenerationRequest: Sendable {
    package var promptTokens: [Int]
    package var config: GenerationConfig.Resolved
    /// Place of the prompt in the whole input: with the seed, it decides the random numbers.
    package var promptIndex: Int
    /// Which of the prompt's continuations it is.
    package var sequence = 0
    /// Makes text of the new tokens; without it, results have no text and stop strings are never found.
    var text: TextAssembler?

    /// Reads the prompt, so it takes the longer the longer that is.
    package init(
        promptTokens: [Int], config: GenerationConfig.Resolved, promptIndex: Int, sequence: Int = 0,
        tokenizer: Tokenizer? = nil
    ) {
        self.sequence = sequence
        self.promptTokens = promptTokens
        self.config = config
        self.promptIndex = promptIndex
        text = tokenizer.map { TextAssembler($0, prompt: promptTokens, stopStrings: config.stopStrings) }
    }
}
