import ApusCPU
import ApusCompute
import Testing

@Suite struct AttentionTests {
    static let types: [DType] = [.float32, .bfloat16, .int8]
    static let vectorSets = InstructionSet.available.filter { $0 != .scalar }

    /// Odd head sizes, 1 to 9 query heads for each of 1 to 3 key-value heads, sequences around the ends of blocks.
    static let shapes: [AttentionProblem] = zip([1, 2, 7, 22, 24, 40, 64, 80, 96, 128, 256], 0...).map {
        headDim, index in
        let (group, kvHeads) = (1 + (index * 4 + 2) % 9, 1 + index % 3)
        return AttentionProblem(
            heads: group * kvHeads, kvHeads: kvHeads, headDim: headDim,
            lengths: [1, 33 + index, 16, 64, 80 + 5 * index])
    }

    /// Pairs of halves round queries and weights to 8 bits; values are up to 2.
    private func tolerance(_ set: InstructionSet, _ dtype: DType) -> Float {
        dtype != .float32 && set >= .avx512BF16 ? 0.03 : 2e-5
    }

    @Test(arguments: vectorSets, types)
    func matchesReference(_ set: InstructionSet, _ dtype: DType) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set)
        let reference = try CPUDevice(threads: 2, instructionSet: .scalar)
        for shape in Self.shapes {
            let expected = try shape.run(reference, dtype, shape.all())
            let got = try shape.run(device, dtype, shape.all())
            let errors = zip(expected.joined().joined(), got.joined().joined()).map { abs($0 - $1) }
            #expect(errors.allSatisfy { $0 < tolerance(set, dtype) }, "\(shape): \(errors.max() ?? 0)")
        }
    }

    /// Every single group size, at one head size.
    @Test(arguments: vectorSets, types)
    func groupsMatchReference(_ set: InstructionSet, _ dtype: DType) throws {
        let device = try CPUDevice(threads: 1, instructionSet: set)
        let reference = try CPUDevice(threads: 1, instructionSet: .scalar)
        for group in [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 97] {
            let shape = AttentionProblem(heads: group, kvHeads: 1, headDim: 32, lengths: [37])
            let expected = try shape.run(reference, dtype, shape.all())
            let got = try shape.run(device, dtype, shape.all())
            let errors = zip(expected.joined().joined(), got.joined().joined()).map { abs($0 - $1) }
            #expect(errors.allSatisfy { $0 < tolerance(set, dtype) }, "\(group): \(errors.max() ?? 0)")
        }
    }

    /// The reference over bytes stays near the one over floats.
    @Test(arguments: [(DType.bfloat16, Float(0.02)), (.int8, 0.06)])
    func roundingIsSmall(_ dtype: DType, _ bound: Float) throws {
        let reference = try CPUDevice(threads: 1, instructionSet: .scalar)
        let shape = AttentionProblem(heads: 4, kvHeads: 2, headDim: 64, lengths: [70])
        let exact = try shape.run(reference, .float32, shape.all()).joined().joined()
        let rounded = try shape.run(reference, dtype, shape.all()).joined().joined()
        let error = zip(exact, rounded).map { abs($0 - $1) }.max() ?? 0
        #expect(error > 0 && error < bound)
    }

    /// The same bits whatever else is in the batch, how a prompt is cut, where its blocks are, and how many threads there
    /// are; with more keys than a partition has.
    @Test(arguments: InstructionSet.available, types)
    func seesNothingButItsSequence(_ set: InstructionSet, _ dtype: DType) throws {
        let problem = AttentionProblem(heads: 10, kvHeads: 2, headDim: 24, lengths: [70, 3, 1100, 513])
        let first = 1000
        let expected = try problem.run(CPUDevice(threads: 1, instructionSet: set), dtype, problem.all(from: first))
        let many = try CPUDevice(threads: 5, instructionSet: set)
        let calls = problem.lengths.indices.flatMap { sequence in
            let start = min(first, problem.lengths[sequence] - 1)
            return [start..<start + 1, start + 1..<start + 8, start + 8..<start + 40, start + 40..<start + 100]
                .map { $0.clamped(to: 0..<problem.lengths[sequence]) }.filter { !$0.isEmpty }
                .map { [AttentionProblem.Piece(sequence: sequence, positions: $0)] }
        }
        #expect(try problem.run(many, dtype, calls, layoutSeed: 2) == expected)
        #expect(try problem.run(many, dtype, problem.all(from: first), layoutSeed: 3) == expected)
        // Token by token.
        let one = problem.all(from: first)[0].flatMap { piece in
            piece.positions.map { [AttentionProblem.Piece(sequence: piece.sequence, positions: $0..<$0 + 1)] }
        }
        #expect(try problem.run(many, dtype, one) == expected)
    }

    /// A prompt from its first token on, in tiles of all kinds.
    @Test(arguments: InstructionSet.available, types)
    func cutsChangeNothing(_ set: InstructionSet, _ dtype: DType) throws {
        for (heads, headDim) in [(1, 16), (8, 64), (3, 40)] {
            let problem = AttentionProblem(heads: heads, kvHeads: 1, headDim: headDim, lengths: [150])
            let device = try CPUDevice(threads: 2, instructionSet: set)
            let expected = try problem.run(device, dtype, problem.all())
            for size in [1, 5, 16, 100] {
                let calls = stride(from: 0, to: 150, by: size).map {
                    [AttentionProblem.Piece(sequence: 0, positions: $0..<min($0 + size, 150))]
                }
                #expect(try problem.run(device, dtype, calls) == expected, "\(heads) heads, pieces of \(size)")
            }
        }
    }

    /// A key or value that is no number reaches the tokens from its own on, and none before.
    @Test(arguments: InstructionSet.available, types)
    func tokensSeeNothingLater(_ set: InstructionSet, _ dtype: DType) throws {
        var problem = AttentionProblem(heads: 4, kvHeads: 2, headDim: 32, lengths: [60, 5])
        let device = try CPUDevice(threads: 1, instructionSet: set)
        let clean = try problem.run(device, dtype, problem.all())
        problem.poisoned = (0, 37)
        let poisoned = try problem.run(device, dtype, problem.all())
        #expect(Array(poisoned[0][..<37]) == Array(clean[0][..<37]) && poisoned[1] == clean[1])
        #expect(!poisoned[0][37...].joined().contains { !$0.isNaN })
    }

    @Test(arguments: types, [1, 16, 24, 80])
    func layoutCountsItsBytes(_ dtype: DType, _ headDim: Int) throws {
        let layout = KVCacheLayout(blocks: 7, kvHeads: 3, headDim: headDim, dtype: dtype)
        let cache = try CPUDevice(threads: 1).makeKVCache(layout)
        let tokens = layout.blocks * KVCacheLayout.blockSize
        #expect(cache.keys.byteCount + cache.values.byteCount == layout.bytesPerToken * tokens)
    }

    @Test func rejectsOtherTypes() throws {
        let layout = KVCacheLayout(blocks: 1, kvHeads: 1, headDim: 8, dtype: .float16)
        let device = try CPUDevice(threads: 1)
        #expect(throws: ComputeError.self) { try device.makeKVCache(layout) }
    }
}
