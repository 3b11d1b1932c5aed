import ApusGeneration
import ApusModels
import ApusTestSupport

/// Some prompts with settings of their own, which end early or late, greedy or sampled.
struct RandomRequests {
    let requests: [GenerationRequest]
    /// Of beams.
    let searches: [GenerationRequest]

    init(seed: UInt64, vocabulary: Int) throws {
        var random = SplitMix64(seed: seed ^ 0xABCD)
        requests = try (0..<2 + random.below(9)).map { index in
            var config = GenerationConfig()
            config.maxNewTokens = 1 + random.below(40)
            config.doSample = random.below(3) == 0
            config.temperature = 1.3
            config.logprobs = random.below(3) == 0
            config.seed = seed
            config.eosTokenIDs = random.below(2) == 0 ? [] : (0..<vocabulary / 12).map { _ in random.below(vocabulary) }
            // Some begin alike.
            let stem = random.below(2) == 0 ? (0..<random.below(40)).map { $0 * 7 % vocabulary } : []
            let prompt = stem + (0..<1 + random.below(30)).map { _ in random.below(vocabulary) }
            return GenerationRequest(
                promptTokens: prompt, config: try config.resolved(promptLength: prompt.count), promptIndex: index)
        }
        searches = try (0..<random.below(3)).map { index in
            let config = GenerationConfig(
                maxNewTokens: 1 + random.below(24), numReturnSequences: 2, numBeams: 2 + random.below(3),
                eosTokenIDs: (0..<random.below(3)).map { _ in random.below(vocabulary) })
            let prompt = (0..<1 + random.below(30)).map { _ in random.below(vocabulary) }
            return GenerationRequest(
                promptTokens: prompt, config: try config.resolved(promptLength: prompt.count), promptIndex: 100 + index)
        }
    }

    private var longest: Int { (requests + searches).map { $0.promptTokens.count + $0.config.maxNewTokens }.max() ?? 1 }

    /// Often too few blocks for all.
    func limits(_ random: inout SplitMix64) -> Scheduler.Limits {
        Scheduler.Limits(
            sequences: 1 + random.below(8), tokensPerStep: 1 + random.below(60),
            blocks: longest / 16 + 1 + random.below(4), sharesPrefixes: random.below(3) > 0,
            forgetsPastWindows: random.below(4) > 0)
    }

    /// Each on an engine of its own, which keeps all keys and values.
    func alone(on model: DecoderModel) async throws -> [GenerationOutput] {
        var outputs: [GenerationOutput] = []
        for request in requests {
            let engine = try Engine(
                model,
                limits: .init(
                    sequences: 1, tokensPerStep: 64, blocks: longest / 16 + 1, sharesPrefixes: false,
                    forgetsPastWindows: false))
            outputs += try await engine.generate([request])
        }
        for request in searches {
            // One beam after the other, each computed from its first token on.
            let engine = try Engine(
                model, limits: .init(sequences: 1, tokensPerStep: 64, blocks: longest / 16 + 1, sharesPrefixes: false))
            outputs += try await engine.search([request]).flatMap(\.self)
        }
        return outputs
    }

    /// All at once, some of them given up after a token; their outputs are `nil`.
    func together(on engine: Engine, cancelling count: Int) async throws -> [GenerationOutput?] {
        async let found = engine.search(searches)
        var outputs: [GenerationOutput?] = []
        // Half of them come while others are on their way.
        var streams: [AsyncThrowingStream<GeneratedToken, any Error>?] = requests.prefix((requests.count + 1) / 2).map {
            engine.generate($0)
        }
        for (index, request) in requests.enumerated() {
            var output: GenerationOutput? = GenerationOutput(promptTokenCount: request.promptTokens.count)
            guard let stream = streams[index] else { continue }
            // The last that holds it: a stream that nobody reads any more ends its sequence.
            streams[index] = nil
            for try await token in stream {
                if streams.count < requests.count { streams.append(engine.generate(requests[streams.count])) }
                output?.append(token)
                if index < count {
                    output = nil
                    break
                }
            }
            outputs.append(output)
        }
        outputs += try await found.flatMap(\.self)
        while await engine.sequenceCount > 0 { try await Task.sleep(for: .milliseconds(1)) }
        return outputs
    }
}
