#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The choices of a beam search for one prompt: which beams go on, which sequences are finished, when it ends. A pure value
/// that follows `_beam_search` of transformers 5, whose arithmetic is in float32.
package struct BeamSearch: Sendable {
    /// A sequence of new tokens.
    package struct Beam: Sendable, Equatable {
        package var tokens: [Int] = []
        /// Which of the beams before the last step it goes on from.
        package var parent = 0
        /// The sum of its tokens' log-probabilities, as processed; of a finished one, by its length.
        package var score: Float = 0
        package var logprobs: [Double] = []
        package var topLogprobs: [[TokenLogprob]] = []
        package var finishReason: FinishReason?
    }

    /// What may come next on a beam.
    package struct Continuations: Sendable {
        /// The best tokens by their processed log-probabilities, the best first.
        package var candidates: [BeamCandidate]
        package var topLogprobs: [TokenLogprob]?

        package init(candidates: [BeamCandidate], topLogprobs: [TokenLogprob]? = nil) {
            (self.candidates, self.topLogprobs) = (candidates, topLogprobs)
        }
    }

    /// The best first.
    package private(set) var running: [Beam] = [Beam()]
    package private(set) var finished: [Beam] = []
    package private(set) var hasEnded = false

    private let config: GenerationConfig.Resolved
    private var canImprove = true

    package init(_ config: GenerationConfig.Resolved) { self.config = config }

    /// Continuations that each beam must name.
    package static func candidateCount(_ config: GenerationConfig.Resolved) -> Int {
        max(2, 1 + config.eosTokenIDs.count) * config.numBeams
    }

    /// What a sequence that cannot count is set back by.
    private static let setback: Float = 1e9

    /// Takes a step. Throws `GenerationError` (`.invalidLogits`) if no beam has a continuation.
    ///
    /// - Parameters:
    ///   - continuations: of each running beam.
    ///   - stops: whether a beam's text ends with a token that is no end token.
    package mutating func advance(
        _ continuations: [Continuations], stops: (_ beam: Beam, _ token: Int) -> Bool = { _, _ in false }
    ) throws(GenerationError) {
        var candidates: [(beam: Beam, candidate: BeamCandidate, parent: Int, score: Float)] = []
        for (parent, beam) in running.enumerated() where parent < continuations.count {
            for candidate in continuations[parent].candidates {
                candidates.append((beam, candidate, parent, beam.score + candidate.score))
            }
        }
        // Of equals the first beam's first token, as the order of a flat list has it.
        candidates.sort {
            $0.score > $1.score
                || ($0.score == $1.score && ($0.parent, $0.candidate.token) < ($1.parent, $1.candidate.token))
        }
        guard !candidates.isEmpty else { throw .invalidLogits("no token is left to choose from") }
        candidates.removeLast(max(candidates.count - Self.candidateCount(config), 0))

        let nexts = candidates.map { next in
            var beam = next.beam
            beam.tokens.append(next.candidate.token)
            beam.parent = next.parent
            beam.score = next.score
            beam.logprobs.append(next.candidate.logprob)
            if let best = continuations[next.parent].topLogprobs { beam.topLogprobs.append(best) }
            beam.finishReason = reason(beam, stops(next.beam, next.candidate.token))
            return beam
        }
        finish(nexts)
        running = Array((nexts.filter { $0.finishReason == nil } + setBack(nexts)).prefix(config.numBeams))
        end(nexts)
    }

    private func reason(_ beam: Beam, _ isStopped: Bool) -> FinishReason? {
        if let token = beam.tokens.last, config.eosTokenIDs.contains(token) { return .endToken }
        if isStopped { return .stopString }
        return beam.tokens.count >= config.maxNewTokens ? .length : nil
    }

    /// Where too few beams go on, those that ended do in their places, far behind.
    private func setBack(_ nexts: [Beam]) -> [Beam] {
        nexts.filter { $0.finishReason != nil }.map { beam in
            var beam = beam
            beam.score -= Self.setback
            beam.finishReason = nil
            return beam
        }
    }

    /// Keeps the best of what is finished. Only the best candidates, one for each beam, can be.
    private mutating func finish(_ nexts: [Beam]) {
        guard canImprove, !(isFull && config.earlyStopping == .whenFull) else { return }
        for var beam in nexts.prefix(config.numBeams) where beam.finishReason != nil {
            beam.score /= penalty(beam.tokens.count)
            let place = finished.firstIndex { $0.score < beam.score } ?? finished.count
            finished.insert(beam, at: place)
        }
        finished.removeLast(max(finished.count - config.numBeams, 0))
    }

    private var isFull: Bool { finished.count == config.numBeams }

    private func penalty(_ length: Int) -> Float { Float(pow(Double(length), config.lengthPenalty)) }

    private mutating func end(_ nexts: [Beam]) {
        let length = running.first?.tokens.count ?? 0
        let canGrow = config.earlyStopping == .never && config.lengthPenalty > 0
        let best = (running.first?.score ?? -.infinity) / penalty(canGrow ? config.maxNewTokens : length)
        // transformers compares with a score of -1e9 while there are too few, so that one that is worse ends its search with
        // nothing found.
        if isFull, let worst = finished.last?.score { canImprove = canImprove && best > worst }
        hasEnded =
            !canImprove || (isFull && config.earlyStopping == .whenFull)
            || nexts.allSatisfy { $0.finishReason != nil }
    }
}

/// A token that may come next on a beam.
package struct BeamCandidate: Sendable, Equatable {
    package let token: Int
    /// Its log-probability as processed.
    package let score: Float
    /// Its log-probability under the model's own distribution.
    package let logprob: Double

    package init(token: Int, score: Float, logprob: Double) {
        (self.token, self.score, self.logprob) = (token, score, logprob)
    }
}
