import ApusCPU
import ApusCompute
import ApusGeneration
import ApusModels
import ApusTestSupport
import ApusTokenizers
import Testing

@Suite struct StepOverheadTests {
    /// What a step costs besides the model, at 128 sequences with long histories: below 1 % of a step of 100 ms.
    @Test(arguments: [false, true])
    func planningIsBelowAMillisecond(_ shares: Bool) throws {
        let (sequences, prompt, steps) = (128, 1500, 300)
        var scheduler = Scheduler(
            limits: .init(sequences: sequences, tokensPerStep: 512, blocks: 20_000, sharesPrefixes: shares))
        var histories = (0..<sequences).map { id in
            TokenHistory(prompt: (0..<prompt).map { ($0 &* 31 &+ id) % 32000 })
        }
        for id in 0..<sequences {
            let tokens = histories[id].tokens.map { Int32(truncatingIfNeeded: $0) }
            try scheduler.submit(id: id, prompt: tokens, maxNewTokens: steps * 8)
        }
        let clock = ContinuousClock()
        var times: [Duration] = []
        while times.count < steps {
            let start = clock.now
            let step = scheduler.schedule()
            let batch = ForwardBatch(step, step.sequences.map { histories[$0.id] })
            var tokens: [Int32?] = []
            for sequence in step.sequences where sequence.yieldsToken {
                let token = Int(batch.tokens[tokens.count] &+ 1) % 32000
                histories[sequence.id].tokens.append(token)
                tokens.append(Int32(truncatingIfNeeded: token))
            }
            scheduler.resolve(step, tokens: tokens)
            // Only steps in which all of them decode.
            if step.yieldCount == sequences { times.append(clock.now - start) }
        }
        let median = times.sorted()[steps / 2]
        print("128 sequences, prefixes \(shares ? "shared" : "not shared"): a step costs \(median) besides the model")
        #expect(median < .milliseconds(1))
    }

    /// Of a whole step of the engine, all but the model: planning, the batch, choosing, handing out tokens and text.
    @Test func aStepOfTheEngineCostsLittleBesidesTheModel() async throws {
        let (sequences, prompt, newTokens) = (128, 8, 200)
        let model = try DecoderModel.load(
            directory: ModelFixture.load("mha").directory, device: CPUDevice(threads: 1))
        let engine = try Engine(
            model, limits: .init(sequences: sequences, tokensPerStep: 2048, blocks: 128 * 14))
        let tokenizer = try AutoTokenizer.from(pretrained: "\(fixtures)/Tokenizers/llama2")
        let config = try GenerationConfig(maxNewTokens: newTokens, eosTokenIDs: []).resolved(promptLength: prompt)
        let requests = (0..<sequences).map { id in
            GenerationRequest(
                promptTokens: (0..<prompt).map { ($0 * 31 + id) % 101 }, config: config, promptIndex: id,
                tokenizer: tokenizer)
        }
        // Of the engine's own thread, since others may run meanwhile.
        let begin = await engine.threadSeconds
        _ = try await engine.generate(requests)
        let step = (await engine.threadSeconds - begin) / Double(await engine.stepCount)
        let forward = try seconds(of: model, sequences: sequences, length: prompt + newTokens / 2)
        print("\(sequences) sequences: a step of the engine costs \(step) s, the model's part is \(forward) s")
        #expect(step - forward < 0.003)
    }

    /// The median of the model's own part of a step in which every sequence has one token.
    private func seconds(of model: DecoderModel, sequences: Int, length: Int) throws -> Double {
        let blocks = (length + KVCacheLayout.blockSize - 1) / KVCacheLayout.blockSize
        let run = try ModelRun(
            model,
            StepLimits(
                tokens: sequences, outputs: sequences, sequences: sequences, blocksPerSequence: blocks,
                blocks: blocks * sequences))
        var batch = ForwardBatch()
        for sequence in 0..<sequences {
            batch.tokens.append(Int32(sequence % 101))
            batch.positions.append(Int32(length - 1))
            batch.rotaryLengths.append(Int32(length))
            batch.sequences.append(Int32(sequence))
            batch.setTable(of: sequence, (0..<blocks).map { Int32(sequence * blocks + $0) })
            batch.slots.append(Int32((sequence + 1) * blocks - 1) * 16 + Int32((length - 1) % 16))
            batch.outputs.append(Int32(sequence))
        }
        return try (0..<50).map { _ in
            let begin = ThreadExecutor.currentThreadSeconds
            try run.launch(batch).wait()
            return ThreadExecutor.currentThreadSeconds - begin
        }.sorted()[25]
    }
}
