import ApusCompute
import ApusGeneration
import ApusTestSupport
import Testing

@Suite struct SchedulerTests {
    /// Plays a random history against the scheduler and checks what must hold at every step.
    @Test(arguments: 0..<1000)
    func keepsItsPromises(_ seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let limits = Scheduler.Limits(
            sequences: Int.random(in: 1...8, using: &random), tokensPerStep: Int.random(in: 1...40, using: &random),
            blocks: Int.random(in: 1...20, using: &random))
        var scheduler = Scheduler(limits: limits)
        var known: [Int: Int] = [:]
        var computed: [Int: Int] = [:]
        var left: [Int: Int] = [:]
        var submitted = 0
        var ended: Set<Int> = []
        var order: [Int] = []
        for step in 0..<400 {
            if step < 60, Bool.random(using: &random) {
                let prompt = Int.random(in: 1...120, using: &random)
                let new = Int.random(in: 1...60, using: &random)
                let fits = prompt + new - 1 <= limits.blocks * KVCacheLayout.blockSize
                if fits {
                    try scheduler.submit(id: submitted, promptLength: prompt, maxNewTokens: new)
                    (known[submitted], computed[submitted], left[submitted]) = (prompt, 0, new)
                } else {
                    #expect(throws: GenerationError.self) {
                        try scheduler.submit(id: submitted, promptLength: prompt, maxNewTokens: new)
                    }
                    ended.insert(submitted)
                }
                submitted += 1
            }
            if Int.random(in: 0..<50, using: &random) == 0, let id = known.keys.min() {
                scheduler.cancel([id])
                known[id] = nil
                ended.insert(id)
            }
            let plan = scheduler.schedule()
            #expect(plan.sequences.isEmpty == known.isEmpty)
            #expect(plan.tokenCount <= limits.tokensPerStep)
            #expect(plan.sequences.count <= limits.sequences)
            var used: Set<Int32> = []
            var finished: Set<Int> = []
            for sequence in plan.sequences {
                #expect(sequence.range.lowerBound == computed[sequence.id])
                #expect(!sequence.range.isEmpty)
                #expect(sequence.yieldsToken == (sequence.range.upperBound == known[sequence.id]))
                #expect(sequence.blocks.count * KVCacheLayout.blockSize >= sequence.range.upperBound)
                for block in sequence.blocks {
                    #expect(used.insert(block).inserted && block < limits.blocks)
                }
                if computed[sequence.id] == 0 { order.append(sequence.id) }
                computed[sequence.id] = sequence.range.upperBound
                guard sequence.yieldsToken else { continue }
                known[sequence.id, default: 0] += 1
                left[sequence.id, default: 1] -= 1
                if left[sequence.id] == 0 || Int.random(in: 0..<20, using: &random) == 0 {
                    finished.insert(sequence.id)
                    known[sequence.id] = nil
                    ended.insert(sequence.id)
                }
            }
            scheduler.update(with: plan, ended: finished)
        }
        // Everything came to its end, every block came back, and sequences started in the order in which they came.
        while !scheduler.isIdle {
            let plan = scheduler.schedule()
            #expect(!plan.sequences.isEmpty)
            var finished: Set<Int> = []
            for sequence in plan.sequences where sequence.yieldsToken {
                left[sequence.id, default: 1] -= 1
                if left[sequence.id] == 0 { finished.insert(sequence.id) }
            }
            scheduler.update(with: plan, ended: finished)
        }
        #expect(scheduler.freeBlockCount == limits.blocks)
        #expect(order == order.sorted())
    }
}
