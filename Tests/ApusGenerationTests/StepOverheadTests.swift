import ApusCompute
import ApusGeneration
import ApusModels
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
            scheduler.update(with: step, tokens: tokens)
            // Only steps in which all of them decode.
            if step.yieldCount == sequences { times.append(clock.now - start) }
        }
        let median = times.sorted()[steps / 2]
        print("128 sequences, prefixes \(shares ? "shared" : "not shared"): a step costs \(median) besides the model")
        #expect(median < .milliseconds(1))
    }
}
