/// Searches the continuations of one prompt with several beams. Each step asks the engine for the continuations of all beams,
/// whose common tokens it has already.
struct BeamRun: Sendable {
    let engine: Engine
    let request: GenerationRequest

    /// The best sequences, as many as the request wants, the best first.
    ///
    /// Throws `GenerationError`, `ComputeError`, and `CancellationError` if the task is cancelled.
    func run() async throws -> [GenerationOutput] {
        let config = request.config
        var search = BeamSearch(config)
        while !search.hasEnded {
            let requests = search.running.map { beam in
                var step = request
                step.continued = beam.tokens
                step.text = nil
                step.config.candidateCount = BeamSearch.candidateCount(config)
                step.config.maxNewTokens = beam.tokens.count + 1
                return step
            }
            var continuations: [BeamSearch.Continuations] = []
            for stream in engine.start(requests) {
                var found: BeamSearch.Continuations?
                for try await token in stream {
                    found = BeamSearch.Continuations(
                        candidates: token.candidates ?? [], topLogprobs: token.topLogprobs)
                }
                // The stream of a cancelled task just ends.
                guard let found else { throw CancellationError() }
                continuations.append(found)
            }
            try search.advance(continuations) { beam, token in stops(beam.tokens + [token]) }
        }
        return search.finished.prefix(config.numReturnSequences).map(output)
    }

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
