/// The beams of one search in the engine. They take their steps side by side; once each has named its continuations, it is
/// decided which go on.
final class BeamGroup {
    /// Of the request.
    let id: Int
    let request: GenerationRequest
    private let listener: EngineInbox.Sequences.Continuation
    private var search: BeamSearch
    /// Of the running beams, in the order of the search.
    private(set) var beams: [Int]
    private var continuations: [Int: BeamSearch.Continuations] = [:]

    init(_ request: GenerationRequest, id: Int, listener: EngineInbox.Sequences.Continuation) {
        self.request = request
        self.listener = listener
        self.id = id
        search = BeamSearch(request.config)
        beams = [id]
    }

    /// Notes how a beam may go on. True if that is known of all.
    func note(_ choice: Sampler.Choice, of id: Int) -> Bool {
        continuations[id] = BeamSearch.Continuations(
            candidates: choice.candidates ?? [], topLogprobs: choice.topLogprobs)
        return continuations.count == beams.count
    }

    /// Takes the step. `nil` if the search has ended; its sequences are then handed out.
    /// Throws `GenerationError` (`.invalidLogits`) if no beam can go on.
    ///
    /// - Parameter newID: makes one for a beam that does not take its parent's place.
    func advance(newID: () -> Int) throws(GenerationError) -> [Scheduler.Branch]? {
        let parents = beams
        let found = parents.compactMap { continuations[$0] }
        continuations = [:]
        try search.advance(found) { beam, token in stops(beam.tokens + [token]) }
        if search.hasEnded {
            listener.yield(search.finished.prefix(request.config.numReturnSequences).map(output))
            listener.finish()
            return nil
        }
        var placed: Set<Int> = []
        let branches = search.running.compactMap { beam -> Scheduler.Branch? in
            guard let token = beam.tokens.last else { return nil }
            let parent = parents[beam.parent]
            return Scheduler.Branch(
                id: placed.insert(parent).inserted ? parent : newID(), parent: parent,
                token: Int32(truncatingIfNeeded: token))
        }
        beams = branches.map(\.id)
        return branches
    }

    func finish(throwing error: any Error) { listener.finish(throwing: error) }

    private func stops(_ tokens: [Int]) -> Bool {
        guard !request.config.stopStrings.isEmpty, var text = request.text else { return false }
        return tokens.contains { text.append($0, isLast: false).stopped }
    }

    private func output(_ beam: BeamSearch.Beam) -> GenerationOutput {
        var output = GenerationOutput(promptTokenCount: request.promptTokens.count)
        output.tokenIDs = beam.tokens
        output.finishReason = beam.finishReason ?? .length
        output.score = Double(beam.score)
        if request.config.logprobs { output.logprobs = beam.logprobs }
        if request.config.topLogprobs > 0 { output.topLogprobs = beam.topLogprobs }
        if var text = request.text {
            for (place, token) in beam.tokens.enumerated() {
                output.text += text.append(token, isLast: place == beam.tokens.count - 1).text
            }
        }
        return output
    }
}
