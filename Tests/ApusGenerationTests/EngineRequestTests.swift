import ApusCPU
import ApusCompute
import ApusGeneration
import ApusModels
import ApusTestSupport
import Testing

/// How requests enter the engine and leave it.
@Suite struct EngineRequestTests {
    private func engine(sequences: Int = 1) throws -> Engine {
        let model = try DecoderModel.load(
            directory: ModelFixture.load("mha").directory, device: CPUDevice(threads: 1))
        return try Engine(model, limits: .init(sequences: sequences, tokensPerStep: 64, blocks: 400))
    }

    private func request(newTokens: Int, prompt: [Int] = [1, 2, 3]) throws -> GenerationRequest {
        let config = GenerationConfig(maxNewTokens: newTokens, eosTokenIDs: [])
        return GenerationRequest(
            promptTokens: prompt, config: try config.resolved(promptLength: prompt.count), promptIndex: 0)
    }

    @Test func requestsEnterInTheOrderInWhichTheyWereMade() async throws {
        for _ in 0..<20 {
            let engine = try engine()
            let streams = try (0..<12).map { _ in engine.generate(try request(newTokens: 2)) }
            // With one place, the last has run when all others have.
            for try await _ in streams[11] {}
            #expect(await engine.sequenceCount == 0)
        }
    }

    @Test func whatIsDroppedBeforeItEntersIsNeverComputed() async throws {
        let engine = try engine()
        // Keeps the engine busy meanwhile.
        let running = engine.generate(try request(newTokens: 50))
        for _ in 0..<5 { _ = engine.generate(try request(newTokens: 3000)) }
        for try await _ in running {}
        let next = try await engine.generate([try request(newTokens: 5)])
        #expect(next[0].tokenIDs.count == 5)
        #expect(await engine.stepCount < 200)
    }

    @Test func aCancelledTaskGetsAnErrorAndNoHalfResult() async throws {
        let engine = try engine()
        let request = try request(newTokens: 3000)
        // Again and again, since it may be through before this task has its turn.
        var isCancelled = false
        for _ in 0..<40 where !isCancelled {
            let before = await engine.stepCount
            let task = Task { try await engine.generate([request]) }
            while await engine.stepCount < before + 3 { try await Task.sleep(for: .milliseconds(1)) }
            task.cancel()
            do {
                #expect(try await task.value[0].tokenIDs.count == 3000)
            } catch is CancellationError {
                isCancelled = true
                while await engine.sequenceCount > 0 { try await Task.sleep(for: .milliseconds(1)) }
                #expect(await engine.stepCount < before + 3000)
            }
        }
        #expect(isCancelled)
    }

    @Test func aStreamThatWasCancelledHasNoLastToken() async throws {
        let engine = try engine()
        // Again and again, since it may be through before this task has its turn.
        var isCancelled = false
        for _ in 0..<40 where !isCancelled {
            let before = await engine.stepCount
            let stream = engine.generate(try request(newTokens: 3000))
            let task = Task {
                var reasons: [FinishReason?] = []
                for try await token in stream { reasons.append(token.finishReason) }
                return reasons
            }
            while await engine.stepCount < before + 3 { try await Task.sleep(for: .milliseconds(1)) }
            task.cancel()
            let reasons = try await task.value
            isCancelled = reasons.count < 3000
            #expect(reasons.prefix(2999).allSatisfy { $0 == nil })
        }
        #expect(isCancelled)
    }
}
