/// A token and the natural logarithm of its probability.
public struct TokenLogprob: Sendable, Equatable {
    public let id: Int
    public let logprob: Double
}

/// One new token.
public struct GeneratedToken: Sendable, Equatable {
    public let id: Int
    /// Natural logarithm of its probability under the model's own distribution, if that was asked for.
    public let logprob: Double?
    /// The most probable tokens in its place under that distribution, the best first, if that was asked for.
    public let topLogprobs: [TokenLogprob]?
    /// The text that it settled; characters that later tokens complete come with those. The last token brings the rest.
    public let text: String
    /// Why generation ended with this token; `nil` if it goes on.
    public let finishReason: FinishReason?
}

/// A prompt's continuation.
public struct GenerationOutput: Sendable, Equatable {
    /// The new tokens; an end token, if one was chosen, is the last.
    public var tokenIDs: [Int] = []
    /// The new tokens as text, without special tokens.
    public var text = ""
    /// One for each new token, if asked for.
    public var logprobs: [Double]?
    /// The most probable tokens in the place of each new one, the best first, if asked for.
    public var topLogprobs: [[TokenLogprob]]?
    /// One for each token of the prompt, `nil` for the first, if asked for.
    public var promptLogprobs: [Double?]?
    /// What beams were compared by: the log-probability, as processed, over the length to the power of the penalty.
    public var score: Double?
    public var finishReason: FinishReason = .cancelled
    public var promptTokenCount: Int

    package init(promptTokenCount: Int) { self.promptTokenCount = promptTokenCount }

    /// Of a prompt that is not continued.
    package init(scoring promptTokenCount: Int) {
        self.init(promptTokenCount: promptTokenCount)
        finishReason = .length
    }

    package mutating func append(_ token: GeneratedToken) {
        tokenIDs.append(token.id)
        text += token.text
        if let logprob = token.logprob {
            if logprobs == nil { logprobs = [] }
            logprobs?.append(logprob)
        }
        if let best = token.topLogprobs {
            if topLogprobs == nil { topLogprobs = [] }
            topLogprobs?.append(best)
        }
        if let reason = token.finishReason { finishReason = reason }
    }
}
