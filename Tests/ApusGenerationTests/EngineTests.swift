import ApusCPU
import ApusCompute
import ApusGeneration
import ApusModels
import ApusTestSupport
import Testing

@Suite struct EngineTests {
    private func engine(
        _ fixture: ModelFixture, threads: Int = 1, sequences: Int = 4, tokensPerStep: Int = 64, blocks: Int = 200
    ) throws -> Engine {
        let model = try DecoderModel.load(directory: fixture.directory, device: CPUDevice(threads: threads))
        return try Engine(
            model, limits: .init(sequences: sequences, tokensPerStep: tokensPerStep, blocks: blocks))
    }

    private func requests(_ fixture: ModelFixture, _ overrides: GenerationConfig) throws -> [GenerationRequest] {
        let config = try GenerationConfig(directory: fixture.directory).merging(overrides)
        return try fixture.cases.enumerated().map { index, item in
            GenerationRequest(
                promptTokens: item.prompt, config: try config.resolved(promptLength: item.prompt.count),
                promptIndex: index)
        }
    }

    @Test(arguments: ModelFixture.names.filter { $0 != "bf16" && $0 != "f16" })
    func greedyTokensAreThoseOfTransformers(_ name: String) async throws {
        let fixture = try ModelFixture.load(name)
        let engine = try engine(fixture, threads: 2)
        for logprobs in [false, true] {
            let outputs = try await engine.generate(
                requests(fixture, GenerationConfig(maxNewTokens: 32, logprobs: logprobs)))
            for (output, expected) in zip(outputs, fixture.cases) {
                #expect(output.tokenIDs == expected.tokens)
                #expect(output.finishReason.rawValue == expected.finishReason)
                guard logprobs else { continue }
                for (got, wanted) in zip(try #require(output.logprobs), expected.logprobs) {
                    #expect(abs(got - wanted) < 1e-4)
                }
            }
        }
    }

    @Test(arguments: ["gqa-tied", "dynamic", "longrope", "bf16", "f16"], [false, true])
    func tokensDependOnNothingButThePrompt(_ name: String, _ sample: Bool) async throws {
        let fixture = try ModelFixture.load(name)
        let config = GenerationConfig(maxNewTokens: 40, doSample: sample, temperature: 1.3, seed: 7, logprobs: true)
        let all = try requests(fixture, config)
        var alone: [GenerationOutput] = []
        for request in all { alone += try await engine(fixture, sequences: 1).generate([request]) }
        for (sequences, tokensPerStep, threads) in [(1, 5, 2), (3, 17, 1), (16, 512, 3)] {
            let engine = try engine(fixture, threads: threads, sequences: sequences, tokensPerStep: tokensPerStep)
            #expect(try await engine.generate(all) == alone)
        }
        if sample {
            let other = try requests(fixture, config.merging(GenerationConfig(seed: 8)))
            #expect(try await engine(fixture).generate(other) != alone)
        }
    }

    @Test func oneBadPromptLeavesTheOthersAlone() async throws {
        let fixture = try ModelFixture.load("mha")
        let engine = try engine(fixture, blocks: 12)
        let good = try requests(fixture, GenerationConfig(maxNewTokens: 4))[0]
        var beyond = good
        beyond.promptTokens = [1, 1_000_000]
        var long = good
        long.promptTokens = [Int](repeating: 1, count: 16 * 12)
        var empty = good
        empty.promptTokens = []
        let expected = try await engine.generate([good])
        for bad in [beyond, long, empty] {
            async let fine = engine.generate([good])
            await #expect(throws: GenerationError.self) { _ = try await engine.generate([bad]) }
            let output = try await fine
            #expect(output == expected)
        }
    }

    @Test func droppingAStreamEndsTheSequence() async throws {
        let fixture = try ModelFixture.load("mha")
        let engine = try engine(fixture, sequences: 1, blocks: 130)
        let request = try requests(fixture, GenerationConfig(maxNewTokens: 2000, eosTokenIDs: []))[0]
        let next = try requests(fixture, GenerationConfig(maxNewTokens: 5, eosTokenIDs: []))[0]
        // Again and again, since it may be through before this task has its turn.
        var isEnded = false
        for _ in 0..<40 where !isEnded {
            let before = await engine.stepCount
            var count = 0
            for try await _ in engine.generate(request) {
                count += 1
                if count == 3 { break }
            }
            // With one place, the next request starts only once the first is gone: long before its end.
            #expect(try await engine.generate([next])[0].tokenIDs.count == 5)
            isEnded = await engine.stepCount < before + 1500
        }
        #expect(isEnded)
    }
}
