import ApusCPU
import ApusCompute
import CApusKernels
import Testing

/// What attention is shared out in, and how much memory that takes.
@Suite struct AttentionPlanTests {
    /// One plan for sequences that each have some tokens up to a context.
    private func plan(
        contexts: [Int], tokens: Int, heads: Int = 64, kvHeads: Int = 8, threads: Int, tokensPerTile: Int = 12,
        firstKeys: Int? = nil, limit: Int
    ) -> AttentionPlan {
        let positions = contexts.flatMap { context in (context - tokens..<context).map { Int32($0) } }
        let sequences = contexts.indices.flatMap { [Int32](repeating: Int32($0), count: tokens) }
        let first = positions.map { max($0 + 1 - Int32(firstKeys ?? 0), 0) }
        var plan = AttentionPlan()
        positions.withUnsafeBufferPointer { positions in
            sequences.withUnsafeBufferPointer { sequences in
                first.withUnsafeBufferPointer { first in
                    var task = apus_attention()
                    task.positions = positions.baseAddress
                    task.sequence = sequences.baseAddress
                    task.first_keys = firstKeys == nil ? nil : first.baseAddress
                    task.heads = heads
                    task.kv_heads = kvHeads
                    task.head_dim = 128
                    plan.plan(
                        task, tokens: positions.count, tokensPerTile: tokensPerTile, threads: threads, stateLimit: limit
                    )
                }
            }
        }
        return plan
    }

    /// Every token with every key-value head over every partition, once.
    private func covers(_ plan: AttentionPlan, contexts: [Int], tokens: Int, kvHeads: Int = 8) -> Bool {
        var seen = Set<[Int]>()
        var count = 0
        for wave in plan.waves {
            for piece in plan.pieces[wave.pieces] {
                for token in piece.tokens {
                    for partition in piece.partitions {
                        for head in wave.kvHeads {
                            seen.insert([token, partition, head])
                            count += 1
                        }
                    }
                }
            }
        }
        let due = contexts.reduce(0) { sum, context in
            sum + (context - tokens..<context).reduce(0) { $0 + $1 / 512 + 1 } * kvHeads
        }
        // A tile also goes through partitions that only its last tokens see.
        return seen.count == count && count >= due
    }

    @Test(arguments: [(1, 1), (40, 1), (1, 12), (3, 100), (20, 96)])
    func statesStayUnderTheLimit(_ sequences: Int, _ tokens: Int) {
        let contexts = [Int](repeating: 131_072, count: sequences)
        let limit = 16 << 20
        let plan = plan(contexts: contexts, tokens: tokens, threads: 128, limit: limit)
        let free = self.plan(contexts: contexts, tokens: tokens, threads: 128, limit: .max)
        #expect(plan.stateCount <= limit)
        #expect(covers(plan, contexts: contexts, tokens: tokens))
        if free.stateCount > limit { #expect(plan.waves.count > 1) }
        if free.stateCount <= limit { #expect(plan.pieces.count == free.pieces.count && plan.waves.count == 1) }
        // Each wave that was cut has enough for all threads.
        for wave in plan.waves where !wave.merges.isEmpty {
            #expect(wave.pieces.count * wave.kvHeads.count >= 128)
        }
    }

    @Test func whatAloneNeedsMoreIsNotCut() {
        let plan = plan(contexts: [131_072], tokens: 12, threads: 128, limit: 1000)
        #expect(plan.stateCount == 0 && plan.merges.isEmpty && plan.pieces.count == 1)
    }

    @Test func windowsCostWhatTheySee() {
        let plan = plan(contexts: [131_072], tokens: 1, threads: 128, firstKeys: 1000, limit: .max)
        #expect(plan.pieces.reduce(0) { $0 + $1.partitions.count } == 2)
        #expect(plan.pieces.allSatisfy { $0.allPartitions == 254..<256 })
        #expect(plan.pieces.reduce(0) { $0 + $1.cost } == 1000)
    }

    /// Waves of a few states at a time give the bits of one thread.
    @Test(arguments: InstructionSet.available, [0, 20_000, 100_000, 400_000, 64 << 20])
    func wavesChangeNoBit(_ set: InstructionSet, _ limit: Int) throws {
        let one = try CPUDevice(threads: 1, instructionSet: set)
        let many = try CPUDevice(threads: 6, instructionSet: set, attentionStateLimit: limit, checksIndices: true)
        for window in [nil, 1200] {
            var problem = AttentionProblem(heads: 6, kvHeads: 3, headDim: 16, lengths: [3000, 700, 2100, 40])
            problem.window = window
            let calls = [
                problem.lengths.indices.map { sequence in
                    let length = problem.lengths[sequence]
                    return AttentionProblem.Piece(
                        sequence: sequence, positions: length - (sequence == 0 ? 40 : 1)..<length)
                }
            ]
            #expect(try problem.run(many, .bfloat16, calls) == problem.run(one, .bfloat16, calls))
        }
    }

    /// A long context on many threads, one key-value head a wave.
    @Test func longContextsChangeNoBit() throws {
        let problem = AttentionProblem(heads: 64, kvHeads: 2, headDim: 32, lengths: [131_072])
        let calls = [[AttentionProblem.Piece(sequence: 0, positions: 131_071..<131_072)]]
        let expected = try problem.run(CPUDevice(threads: 1), .bfloat16, calls)
        let limit = 3 << 19
        let many = try CPUDevice(threads: 128, attentionStateLimit: limit, checksIndices: true)
        #expect(try problem.run(many, .bfloat16, calls) == expected)
        var demand = WorkspaceDemand(tokens: 1)
        demand.attentions = [.init(heads: 64, kvHeads: 2, headDim: 32)]
        demand.context = 131_072
        #expect(many.workspaceByteCount(demand) > limit)
    }
}
