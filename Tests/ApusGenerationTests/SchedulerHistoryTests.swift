import ApusCompute
import ApusGeneration
import ApusModels
import ApusTestSupport
import Testing

@Suite struct SchedulerHistoryTests {
    /// 25 × 100 random histories: limits, prompts that begin alike, ends and cancellations.
    @Test(arguments: 0..<25)
    func keepsItsPromises(_ group: Int) throws {
        var (preemptions, shared, finished) = (0, 0, 0)
        for seed in group * 100..<(group + 1) * 100 {
            var random = SplitMix64(seed: UInt64(seed))
            let run = try Self.play(&random)
            try #require(run.failures.isEmpty, "seed \(seed): \(run.failures.prefix(3))")
            preemptions += run.scheduler.preemptionCount
            shared += run.scheduler.sharedTokenCount
            finished += run.finished.count
        }
        // The histories reach what they are about.
        #expect(preemptions > 100 && shared > 1000 && finished > 500)
    }

    /// The same with beam searches among them.
    @Test(arguments: 0..<25)
    func keepsItsPromisesToBeams(_ group: Int) throws {
        var (preemptions, forks, finished) = (0, 0, 0)
        for seed in group * 100..<(group + 1) * 100 {
            var random = SplitMix64(seed: UInt64(seed))
            let run = try Self.play(&random, searches: true)
            try #require(run.failures.isEmpty, "seed \(seed): \(run.failures.prefix(3))")
            preemptions += run.scheduler.preemptionCount
            forks += run.forkCount
            finished += run.foundBeams.count
            for found in run.foundBeams {
                #expect(
                    SimulatedSearch.alone(found.root, width: found.width).map(\.tokens) == found.beams.map(\.tokens))
            }
        }
        #expect(preemptions > 100 && forks > 1000 && finished > 200, "\(preemptions), \(forks), \(finished)")
    }

    private static func play(_ random: inout SplitMix64, searches: Bool = false) throws -> SimulatedRun {
        var limits = Scheduler.Limits(
            sequences: Int.random(in: 1...8, using: &random), tokensPerStep: Int.random(in: 1...60, using: &random),
            blocks: Int.random(in: 1...24, using: &random), sharesPrefixes: Int.random(in: 0..<4, using: &random) > 0)
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            var steps = StepLimits(
                tokens: limits.tokensPerStep, outputs: 1, sequences: limits.sequences, blocksPerSequence: 1,
                blocks: limits.blocks)
            steps.windows = [Int.random(in: 1...70, using: &random)]
            limits.windows.append(.init(width: steps.windows[0], blocks: steps.blocks(ofGroup: 1)))
        }
        if !limits.sharesPrefixes, Bool.random(using: &random) {
            limits.recomputedPast = Int.random(in: 1...100, using: &random)
        }
        var run = SimulatedRun(limits)
        // Texts are made of few different blocks, so that the same block often follows different ones.
        let pieces = (0..<3).map { _ in
            (0..<KVCacheLayout.blockSize).map { _ in Int32.random(in: 0..<2, using: &random) }
        }
        let submissions = Int.random(in: 1...50, using: &random)
        var work = 0
        for _ in 0..<submissions {
            let stem = (0..<Int.random(in: 0...6, using: &random)).flatMap { _ in
                pieces[Int.random(in: 0..<pieces.count, using: &random)]
            }
            let tail = (0..<Int.random(in: 1...20, using: &random)).map { _ in Int32.random(in: 0..<2, using: &random) }
            let prompt = stem + tail
            let new = Int.random(in: 1...80, using: &random)
            let beams = searches && Bool.random(using: &random) ? Int.random(in: 1...5, using: &random) : nil
            if prompt.count + new - 1 <= limits.blocks * KVCacheLayout.blockSize {
                try run.submit(prompt, newTokens: new, beams: beams)
                work += (prompt.count + new) * (limits.recomputedPast == nil ? 1 : 2)
                // Beams that wait for each other may be computed anew for every token.
                if let beams { work += beams * new * (prompt.count + new) }
            } else {
                #expect(throws: GenerationError.self) { try run.submit(prompt, newTokens: new) }
            }
            for _ in 0..<Int.random(in: 0...12, using: &random) where !run.alive.isEmpty {
                run.step()
                work -= 1
            }
            if Int.random(in: 0..<8, using: &random) == 0, let id = run.ids.randomElement(using: &random) {
                run.cancel(id)
            }
        }
        // The oldest takes a token or more in every step, so the work bounds the steps.
        while !run.scheduler.isIdle, run.failures.isEmpty, work >= 0 {
            run.step()
            work -= 1
        }
        #expect(run.scheduler.isIdle && run.alive.isEmpty)
        #expect(run.scheduler.freeBlockCount == limits.blocks)
        #expect(run.scheduler.freeWindowBlockCounts == limits.windows.map(\.blocks))
        if !searches { #expect(run.startOrder == run.startOrder.sorted()) }
        for (id, sequence) in run.finished {
            var alone = SimulatedRun.Sequence(
                prompt: Array(sequence.tokens.prefix(sequence.promptLength)), newTokens: sequence.newTokens)
            while !alone.isComplete { alone.append(alone.next) }
            #expect(sequence.tokens == alone.tokens, "sequence \(id)")
        }
        return run
    }
}
