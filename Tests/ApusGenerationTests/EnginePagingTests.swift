import ApusCPU
import ApusCompute
import ApusGeneration
import ApusModels
import ApusTestSupport
import Testing

/// A cache too small for what runs, and prompts that begin alike.
@Suite struct EnginePagingTests {
    /// Sequences in flight, tokens of a step, KV blocks.
    private static let shapes = [(1, 1, 7), (2, 3, 8), (4, 17, 9), (8, 512, 7), (8, 512, 60)]

    private func model(_ name: String, threads: Int = 1) throws -> DecoderModel {
        try DecoderModel.load(directory: ModelFixture.load(name).directory, device: CPUDevice(threads: threads))
    }

    /// Prompts of 33 to 53 tokens that begin alike in one of two ways, two of them equal but for the random numbers.
    private func requests(_ config: GenerationConfig, newTokens: Int = 50) throws -> [GenerationRequest] {
        var config = config
        config.maxNewTokens = newTokens
        config.logprobs = true
        return try (0..<10).map { index in
            let stem = (0..<33).map { ($0 * 7 + index % 2) % 101 }
            let prompt = stem + (0..<(index / 2 % 4) * 6).map { ($0 * 13 + index) % 101 }
            return GenerationRequest(
                promptTokens: prompt, config: try config.resolved(promptLength: prompt.count), promptIndex: index)
        }
    }

    @Test(
        arguments: ["gqa-tied", "dynamic", "bf16"],
        [GenerationConfig(), GenerationConfig(doSample: true, temperature: 1.4, topP: 0.95, seed: 5)])
    func neitherPreemptionNorSharingChangesABit(_ name: String, _ config: GenerationConfig) async throws {
        let model = try model(name, threads: 2)
        let all = try requests(config)
        var alone: [GenerationOutput] = []
        for request in all {
            let engine = try Engine(
                model, limits: .init(sequences: 1, tokensPerStep: 64, blocks: 100, sharesPrefixes: false))
            alone += try await engine.generate([request])
        }
        for (sequences, tokensPerStep, blocks) in Self.shapes {
            for shares in [false, true] {
                let engine = try Engine(
                    model,
                    limits: .init(
                        sequences: sequences, tokensPerStep: tokensPerStep, blocks: blocks, sharesPrefixes: shares))
                // Twice: the second time, blocks of the first may still stand.
                for _ in 0..<2 { #expect(try await engine.generate(all) == alone, "\(sequences) \(tokensPerStep)") }
                let (preempted, shared) = await (engine.preemptionCount, engine.sharedTokenCount)
                #expect((preempted > 0) == (sequences > 1 && blocks < 60))
                #expect((shared > 0) == (shares && name != "dynamic"))
                #expect(await engine.freeBlockCount == blocks)
            }
        }
    }

    @Test func aRequestBeyondTheContextFailsAlone() async throws {
        let model = try model("mha")
        let engine = try Engine(model, limits: .init(sequences: 2, tokensPerStep: 16, blocks: 8, contextLength: 100))
        let good = try requests(GenerationConfig(), newTokens: 5)
        var bad = good[0]
        bad.promptTokens = Array(repeating: 3, count: 97)
        let expected = try await engine.generate(good)
        var outputs: [GenerationOutput] = []
        let streams = good.map { engine.generate($0) }
        let error = await #expect(throws: GenerationError.self) { for try await _ in engine.generate(bad) {} }
        #expect(error?.code == .promptTooLong)
        #expect(error?.message == "a prompt of 97 tokens with 5 new ones passes the context of 100 tokens")
        for (request, stream) in zip(good, streams) {
            var output = GenerationOutput(promptTokenCount: request.promptTokens.count)
            for try await token in stream { output.append(token) }
            outputs.append(output)
        }
        #expect(outputs == expected)
        bad.promptTokens.removeLast()
        #expect(try await engine.generate([bad])[0].promptTokenCount == 96)
    }

    @Test(arguments: 0..<4)
    func droppedStreamsGiveTheirBlocksBack(_ which: Int) async throws {
        let model = try model("mha")
        let engine = try Engine(
            model, limits: .init(sequences: 2, tokensPerStep: 64, blocks: 12, sharesPrefixes: which % 2 == 0))
        // Two of 150 tokens pass 12 blocks, so one is preempted; the third waits.
        let all = try requests(GenerationConfig(eosTokenIDs: []), newTokens: 120)
        // All enter before the engine looks; again and again, since they may be through before this task has its turn, which
        // on a busy machine takes its time.
        var isSeen = false
        for _ in 0..<40 where !isSeen {
            let tasks = all.prefix(3).map { engine.generate($0) }.map { stream in
                Task { for try await _ in stream {} }
            }
            var isOver = false
            while !isSeen, !isOver {
                let count = await engine.sequenceCount
                isSeen = which > 1 ? await engine.preemptionCount > 0 : count == 3
                isOver = await engine.stepCount > 0 && count == 0
                if !isSeen { try await Task.sleep(for: .milliseconds(1)) }
            }
            for task in tasks { task.cancel() }
            for task in tasks { _ = await task.result }
        }
        #expect(isSeen || which <= 1)
        while await engine.sequenceCount > 0 { try await Task.sleep(for: .milliseconds(2)) }
        #expect(await engine.freeBlockCount == 12)
        #expect(try await engine.generate([all[0]])[0].tokenIDs.count == 120)
    }
}
