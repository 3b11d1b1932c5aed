import ApusTokenizers

/// A sequence in the engine: its tokens, how it chooses, and who listens.
struct RunningSequence: Sendable {
    private(set) var history: TokenHistory
    let request: GenerationRequest
    let listener: AsyncThrowingStream<GeneratedToken, any Error>.Continuation
    let sampler: Sampler
    private var text: TextAssembler?

    init(_ request: GenerationRequest, listener: AsyncThrowingStream<GeneratedToken, any Error>.Continuation) {
        self.request = request
        self.listener = listener
        history = TokenHistory(prompt: request.promptTokens)
        sampler = Sampler(request.config, promptIndex: request.promptIndex)
        text = request.tokenizer.map { TextAssembler($0, stopStrings: request.config.stopStrings) }
    }

    /// Whether the best token is all that the sampler would look for.
    var isPlainGreedy: Bool {
        let config = request.config
        return !config.doSample && !config.logprobs && config.repetitionPenalty == 1
            && (config.minNewTokens == 0 || config.eosTokenIDs.isEmpty)
    }

    /// Takes a chosen token and says what became of it.
    mutating func append(_ choice: Sampler.Choice) -> GeneratedToken {
        history.tokens.append(choice.token)
        var reason: FinishReason?
        if request.config.eosTokenIDs.contains(choice.token) {
            reason = .endToken
        } else if history.newTokenCount >= request.config.maxNewTokens {
            reason = .length
        }
        let settled = text?.append(choice.token, isLast: reason != nil) ?? (text: "", stopped: false)
        if settled.stopped { reason = .stopString }
        return GeneratedToken(id: choice.token, logprob: choice.logprob, text: settled.text, finishReason: reason)
    }
}
