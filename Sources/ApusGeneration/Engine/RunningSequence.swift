/// A sequence in the engine: its tokens, how it chooses, and who is told.
final class RunningSequence {
    private enum Owner {
        case listener(EngineInbox.Tokens.Continuation)
        case group(BeamGroup)
    }

    private(set) var history: TokenHistory
    let sampler: Sampler
    private let config: GenerationConfig.Resolved
    private let owner: Owner
    private var text: TextAssembler?

    /// Whether the best token is all that the sampler would look for.
    var isPlainGreedy: Bool { sampler.isPlainGreedy }

    /// The search that it is a beam of.
    var group: BeamGroup? {
        guard case .group(let group) = owner else { return nil }
        return group
    }

    /// Alone, or as the root of a beam search.
    init(_ request: GenerationRequest, id: Int, _ listener: EngineInbox.Listener) {
        history = TokenHistory(prompt: request.promptTokens)
        config = request.config
        sampler = Sampler(request.config, promptIndex: request.promptIndex, sequence: request.sequence)
        switch listener {
        case .tokens(let listener):
            owner = .listener(listener)
            text = request.text
        case .sequences(let listener): owner = .group(BeamGroup(request, id: id, listener: listener))
        }
    }

    /// A beam that goes on from where another stands.
    init(_ parent: RunningSequence, token: Int) {
        history = parent.history
        config = parent.config
        sampler = parent.sampler
        owner = parent.owner
        history.tokens.append(token)
    }

    /// Takes a chosen token and hands it to the listener. False if it is the last.
    func take(_ choice: Sampler.Choice) -> Bool {
        guard case .listener(let listener) = owner else { return true }
        history.tokens.append(choice.token)
        var reason: FinishReason?
        if config.eosTokenIDs.contains(choice.token) {
            reason = .endToken
        } else if history.newTokenCount >= config.maxNewTokens {
            reason = .length
        }
        let settled = text?.append(choice.token, isLast: reason != nil) ?? (text: "", stopped: false)
        if settled.stopped { reason = .stopString }
        let token = GeneratedToken(
            id: choice.token, logprob: config.logprobs ? choice.logprob : nil, topLogprobs: choice.topLogprobs,
            text: settled.text, finishReason: reason)
        let delivery = listener.yield(token)
        if reason != nil { listener.finish() }
        if case .terminated = delivery { return false }
        return reason == nil
    }

    func finish(throwing error: any Error) {
        switch owner {
        case .listener(let listener): listener.finish(throwing: error)
        case .group(let group): group.finish(throwing: error)
        }
    }
}
