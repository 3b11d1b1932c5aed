import HeapModule

/// Chooses the next token of one sequence from its logits.
package struct Sampler: Sendable {
    package struct Choice: Sendable, Equatable {
        package let token: Int
        /// Natural logarithm of the token's probability under the model's own distribution, before any processing.
        package let logprob: Double?
        /// The most probable tokens under the same distribution, the best first.
        package var topLogprobs: [TokenLogprob]?
        /// The most probable tokens as processed, the best first, for a beam to go on with.
        package var candidates: [BeamCandidate]?
    }

    private let processors: LogitsProcessorChain
    private let random: RandomNumbers?
    private let reportsLogprobs: Bool
    private let topCount: Int
    private let candidateCount: Int

    package init(_ config: GenerationConfig.Resolved, promptIndex: Int, sequence: Int = 0) {
        processors = LogitsProcessorChain(config)
        random = config.doSample ? RandomNumbers(seed: config.seed, promptIndex: promptIndex, sequence: sequence) : nil
        candidateCount = config.numBeams > 1 ? BeamSearch.candidateCount(config) : 0
        reportsLogprobs = config.reportsLogprobs || candidateCount > 0
        topCount = config.topLogprobs
    }

    /// Whether the best token by the model's own logits is all that is looked for.
    package var isPlainGreedy: Bool { processors.isEmpty && random == nil && !reportsLogprobs }

    /// Chooses a token; `logits` (one per token of the vocabulary) hold the processed values afterwards.
    ///
    /// Greedy takes the first of the best. Sampling takes the first token, in the order of ids, at which the sum of
    /// probabilities passes a uniform number. Throws `GenerationError` (`.invalidLogits`) if all tokens are dropped.
    ///
    /// - Parameter best: the first token of the largest logit, as the device finds it: all logits are numbers or minus
    ///   infinity.
    package func choose(
        from logits: inout MutableSpan<Float>, best: Int, after history: TokenHistory
    ) throws(GenerationError) -> Choice {
        let normalizer = reportsLogprobs ? Self.logSum(logits.span, logits[best]) : 0
        let raw = reportsLogprobs && !processors.isEmpty ? logits.withUnsafeBufferPointer { Array($0) } : []
        if candidateCount > 0 { return try candidates(from: &logits, raw, normalizer, after: history) }

        processors.process(&logits, history)
        let token = try pick(logits.span, processors.isEmpty ? best : nil, step: history.newTokenCount)
        guard reportsLogprobs else { return Choice(token: token, logprob: nil) }
        var choice = Choice(token: token, logprob: Double(raw.isEmpty ? logits[token] : raw[token]) - normalizer)
        if topCount > 0 {
            choice.topLogprobs =
                raw.isEmpty
                ? Self.best(topCount, of: logits.span, normalizer) : Self.best(topCount, of: raw.span, normalizer)
        }
        return choice
    }

    /// What may come next on a beam: processors see log-probabilities, as in transformers.
    private func candidates(
        from logits: inout MutableSpan<Float>, _ raw: [Float], _ normalizer: Double, after history: TokenHistory
    ) throws(GenerationError) -> Choice {
        if !processors.isEmpty {
            for token in logits.indices { logits[token] = Float(Double(logits[token]) - normalizer) }
            processors.process(&logits, history)
        }
        let best = Self.best(candidateCount, of: logits.span, processors.isEmpty ? normalizer : 0)
        let candidates = best.filter { $0.logprob > -.infinity }.map {
            BeamCandidate(
                token: $0.id, score: Float($0.logprob),
                logprob: raw.isEmpty ? $0.logprob : Double(raw[$0.id]) - normalizer)
        }
        guard let first = candidates.first else { throw .invalidLogits("no token is left to choose from") }
        var choice = Choice(token: first.token, logprob: first.logprob, candidates: candidates)
        guard topCount > 0 else { return choice }
        choice.topLogprobs =
            raw.isEmpty
            ? Self.best(topCount, of: logits.span, normalizer) : Self.best(topCount, of: raw.span, normalizer)
        return choice
    }

    private func pick(_ logits: Span<Float>, _ best: Int?, step: Int) throws(GenerationError) -> Int {
        if let best, random == nil { return best }
        guard let largest = best.map({ logits[$0] }) ?? logits.largest, largest.isFinite else {
            throw .invalidLogits("no token is left to choose from")
        }
        guard let random else { return Self.firstIndex(of: largest, in: logits) }
        return Self.draw(logits, largest, random.uniform(step: step))
    }

    /// The tokens of the largest logits, the best first and of equals the first.
    static func best(_ count: Int, of logits: Span<Float>, _ normalizer: Double) -> [TokenLogprob] {
        var heap: Heap<RankedToken> = []
        heap.reserveCapacity(count)
        for token in 0..<min(count, logits.count) { heap.insert(RankedToken(logit: logits[token], token: token)) }
        // Most logits only lose to the least of the best so far; of equals the first stays.
        if var least = heap.min?.logit {
            for token in heap.count..<max(logits.count, heap.count) where logits[token] > least {
                heap.replaceMin(with: RankedToken(logit: logits[token], token: token))
                least = heap.min?.logit ?? least
            }
        }
        return heap.unordered.sorted(by: >).map { TokenLogprob(id: $0.token, logprob: Double($0.logit) - normalizer) }
    }

    private struct RankedToken: Comparable {
        let logit: Float
        let token: Int

        static func < (left: Self, right: Self) -> Bool {
            left.logit < right.logit || (left.logit == right.logit && left.token > right.token)
        }
    }

    private static func firstIndex(of value: Float, in logits: Span<Float>) -> Int {
        for token in logits.indices where logits[token] == value { return token }
        return 0
    }

    /// Inverts the distribution function in float64, tokens in the order of ids.
    static func draw(_ logits: Span<Float>, _ largest: Float, _ uniform: Double) -> Int {
        var candidates: [(token: Int, sum: Double)] = []
        var sum = 0.0
        for token in logits.indices where logits[token] > -.infinity {
            sum += exponential(Double(logits[token]) - Double(largest))
            candidates.append((token, sum))
        }
        let target = uniform * sum
        // The first sum above the target, by bisection.
        var (lower, upper) = (0, candidates.count - 1)
        while lower < upper {
            let middle = (lower + upper) / 2
            if candidates[middle].sum > target { upper = middle } else { lower = middle + 1 }
        }
        return candidates[lower].token
    }

    /// Logarithm of the sum of exponentials, to 1e-6.
    static func logSum(_ logits: Span<Float>, _ largest: Float) -> Double {
        Double(largest) + logarithm(logits.sumOfExponentials(below: largest))
    }
}
