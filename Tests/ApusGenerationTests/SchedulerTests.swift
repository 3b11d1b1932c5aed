import ApusCompute
import ApusGeneration
import Testing

@Suite struct SchedulerTests {
    private func prompt(_ count: Int, _ first: Int32 = 0) -> [Int32] { (0..<Int32(count)).map { first + $0 } }

    @Test func whatCouldNeverFitIsRefused() throws {
        var scheduler = Scheduler(limits: .init(sequences: 2, tokensPerStep: 8, blocks: 4))
        try scheduler.submit(id: 0, prompt: prompt(60), maxNewTokens: 5)
        let error = #expect(throws: GenerationError.self) {
            try scheduler.submit(id: 1, prompt: prompt(61), maxNewTokens: 5)
        }
        #expect(error?.code == .promptTooLong)
        #expect(error?.message.contains("61") == true && error?.message.contains("64") == true)
        #expect(throws: GenerationError.self) {
            try scheduler.submit(id: 1, prompt: prompt(1), maxNewTokens: Int.max)
        }
        #expect(throws: GenerationError.self) { try scheduler.submit(id: 1, prompt: [], maxNewTokens: 1) }
        #expect(scheduler.waitingCount == 1)
    }

    @Test func decodingComesBeforePromptsWhichAreCut() throws {
        var run = SimulatedRun(.init(sequences: 3, tokensPerStep: 10, blocks: 20))
        try run.submit(prompt(4), newTokens: 8)
        run.step()
        try run.submit(prompt(25, 100), newTokens: 2)
        try run.submit(prompt(3, 200), newTokens: 2)
        #expect(run.step().sequences.map(\.range) == [4..<5, 0..<9])
        #expect(run.step().sequences.map(\.range) == [5..<6, 9..<18])
        #expect(run.step().sequences.map(\.range) == [6..<7, 18..<25, 0..<2])
        #expect(run.failures == [])
    }

    @Test func blocksComeAsASequenceGrows() throws {
        var run = SimulatedRun(.init(sequences: 1, tokensPerStep: 64, blocks: 8))
        try run.submit(prompt(15), newTokens: 100)
        for expected in [1, 1, 2] {
            #expect(run.step().sequences.map(\.table.end) == [expected])
            #expect(run.scheduler.freeBlockCount == 8 - expected)
        }
    }

    @Test(arguments: [false, true])
    func theLastIsPreemptedAndComesBackFirst(_ shares: Bool) throws {
        var run = SimulatedRun(.init(sequences: 3, tokensPerStep: 64, blocks: 5, sharesPrefixes: shares))
        try run.submit(prompt(16), newTokens: 40)
        try run.submit(prompt(15, 100), newTokens: 40)
        run.step()
        #expect(run.scheduler.runningCount == 2)
        try run.submit(prompt(1, 200), newTokens: 1)
        while run.scheduler.preemptionCount == 0 { run.step() }
        #expect(run.scheduler.runningCount == 1)
        #expect(run.scheduler.waitingCount == 1 + (run.finished[2] == nil ? 1 : 0))
        while !run.scheduler.isIdle { run.step() }
        #expect(run.failures == [])
        #expect(run.finished.keys.sorted() == [0, 1, 2])
        #expect(run.scheduler.freeBlockCount == 5)
    }

    @Test func cancellingFreesBlocksAtOnce() throws {
        var run = SimulatedRun(.init(sequences: 2, tokensPerStep: 64, blocks: 5))
        try run.submit(prompt(16), newTokens: 40)
        try run.submit(prompt(15, 100), newTokens: 40)
        try run.submit(prompt(15, 200), newTokens: 40)
        run.step()
        run.cancel(2)
        #expect(run.scheduler.waitingCount == 0)
        while run.scheduler.preemptionCount == 0 { run.step() }
        run.cancel(1)
        #expect(run.scheduler.waitingCount == 0)
        run.step()
        run.cancel(0)
        #expect(run.scheduler.freeBlockCount == 5 && run.scheduler.isIdle)
        #expect(run.failures == [])
    }

    @Test func aPlannedSequenceMayBeCancelledBeforeItsUpdate() throws {
        var scheduler = Scheduler(limits: .init(sequences: 3, tokensPerStep: 64, blocks: 8))
        for id in 0..<3 { try scheduler.submit(id: id, prompt: prompt(20, Int32(id) * 100), maxNewTokens: 9) }
        let step = scheduler.schedule()
        scheduler.cancel(0)
        scheduler.resolve(step, tokens: [7, nil, 9])
        let next = scheduler.schedule()
        #expect(next.sequences.map(\.id) == [2] && next.sequences.map(\.range) == [20..<21])
    }

    @Test func aPromptStartsBehindWhatIsThere() throws {
        var run = SimulatedRun(.init(sequences: 4, tokensPerStep: 64, blocks: 20))
        try run.submit(prompt(40), newTokens: 1)
        run.step()
        #expect(run.scheduler.freeBlockCount == 20)
        // Two full blocks agree; of a prompt of just those, the last token is computed still.
        try run.submit(prompt(40), newTokens: 1)
        #expect(run.step().sequences.map(\.range) == [32..<40])
        try run.submit(prompt(32), newTokens: 1)
        #expect(run.step().sequences.map(\.range) == [16..<32])
        try run.submit(prompt(20) + [1] + prompt(19), newTokens: 1)
        #expect(run.step().sequences.map(\.range) == [16..<40])
        try run.submit([9] + prompt(39), newTokens: 1)
        #expect(run.step().sequences.map(\.range) == [0..<40])
        #expect(run.scheduler.sharedTokenCount == 32 + 16 + 16)
        #expect(run.failures == [])
    }

    @Test func aPromptThatWaitsForItsTurnTakesWhatComesMeanwhile() throws {
        var run = SimulatedRun(.init(sequences: 2, tokensPerStep: 48, blocks: 20))
        try run.submit(prompt(80), newTokens: 4)
        try run.submit(prompt(80), newTokens: 4)
        #expect(run.step().sequences.map(\.range) == [0..<48])
        #expect(run.step().sequences.map(\.range) == [48..<80, 48..<64])
        // 64 ..< 80 stands by now, but the last block is computed for its last token.
        #expect(run.step().sequences.map(\.range) == [80..<81, 64..<80])
        while !run.scheduler.isIdle { run.step() }
        #expect(run.failures == [] && run.finished.count == 2)
    }

    @Test func generatedTokensAreSharedToo() throws {
        var run = SimulatedRun(.init(sequences: 1, tokensPerStep: 64, blocks: 20))
        try run.submit(prompt(10), newTokens: 30)
        while !run.scheduler.isIdle { run.step() }
        let text = try #require(run.finished[0]?.tokens)
        try run.submit(text + [5, 6], newTokens: 1)
        #expect(run.step().sequences.map(\.range) == [32..<42])
        #expect(run.failures == [])
    }

    @Test func theBlocksUsedLongestAgoGoFirst() throws {
        var run = SimulatedRun(.init(sequences: 1, tokensPerStep: 200, blocks: 6))
        for first: Int32 in [0, 100, 0] {
            try run.submit(prompt(32, first), newTokens: 1)
            run.step()
        }
        // Four blocks are new here: the two that were never used, then those of the text that starts with 100.
        try run.submit(prompt(64, 200), newTokens: 1)
        run.step()
        try run.submit(prompt(33, 0), newTokens: 1)
        #expect(run.step().sequences.map(\.range) == [32..<33])
        try run.submit(prompt(33, 100), newTokens: 1)
        #expect(run.step().sequences.map(\.range) == [0..<33])
        #expect(run.failures == [])
    }

    @Test func nothingIsSharedUnasked() throws {
        var run = SimulatedRun(.init(sequences: 4, tokensPerStep: 500, blocks: 20, sharesPrefixes: false))
        for _ in 0..<3 { try run.submit(prompt(40), newTokens: 2) }
        #expect(run.step().sequences.map(\.range) == [0..<40, 0..<40, 0..<40])
        while !run.scheduler.isIdle { run.step() }
        try run.submit(prompt(40), newTokens: 2)
        #expect(run.step().sequences.map(\.range) == [0..<40])
        #expect(run.scheduler.sharedTokenCount == 0 && run.failures == [])
    }
}
