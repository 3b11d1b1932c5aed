/// A sequence in the engine: its tokens, how it chooses, and who listens.
final class RunningSequence {
    private(set) var history: TokenHistory
    let request: GenerationRequest
    let listener: AsyncThrowingStream<GeneratedToken, any Error>.Continuation
    let sampler: Sampler
    /// Whether the best token is all that the sampler would look for.
    var isPlainGreedy: Bool { sampler.isPlainGreedy }
    private var text: TextAssembler?

    init(_ request: GenerationRequest, listener: AsyncThrowingStream<GeneratedToken, any Error>.Continuation) {
        self.request = request
        self.listener = listener
        history = TokenHistory(prompt: request.promptTokens, generated: request.continued)
        sampler = Sampler(request.config, promptIndex: request.promptIndex, sequence: request.sequence)
        text = request.text
    }

    /// Takes a chosen token and hands it to the listener. False if it is the last.
    func take(_ choice: Sampler.Choice) -> Bool {
        history.tokens.append(choice.token)
        var reason: FinishReason?
        if request.config.eosTokenIDs.contains(choice.token) {
            reason = .endToken
        } else if history.newTokenCount >= request.config.maxNewTokens {
            reason = .length
        }
        let settled = text?.append(choice.token, isLast: reason != nil) ?? (text: "", stopped: false)
        if settled.stopped { reason = .stopString }
        let token = GeneratedToken(
            id: choice.token, logprob: request.config.logprobs ? choice.logprob : nil, topLogprobs: choice.topLogprobs,
            candidates: choice.candidates,
            text: settled.text, finishReason: reason)
        let delivery = listener.yield(token)
        if reason != nil { listener.finish() }
        if case .terminated = delivery { return false }
        return reason == nil
    }
}
