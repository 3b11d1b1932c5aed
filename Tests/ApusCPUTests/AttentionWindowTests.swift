import ApusCPU
import ApusCompute
import Testing

/// Tokens that see their last keys only.
@Suite struct AttentionWindowTests {
    static let vectorSets = InstructionSet.available.filter { $0 != .scalar }
    static let windows = [1, 15, 16, 17, 100, 511, 512, 513, 600]

    /// Around the ends of blocks and partitions, more of them than a window has.
    private static func lengths(_ window: Int) -> [Int] { [1, 33, 530, 1040 + window % 60, 1500] }

    private func tolerance(_ set: InstructionSet, _ dtype: DType) -> Float {
        dtype != .float32 && set >= .avx512BF16 ? 0.03 : 2e-5
    }

    private func error(_ a: [[[Float]]], _ b: [[[Float]]]) -> Float {
        zip(a.joined().joined(), b.joined().joined()).map { ($0 - $1).isNaN ? .infinity : abs($0 - $1) }.max()
            ?? .infinity
    }

    @Test(arguments: vectorSets, AttentionTests.types)
    func matchesReference(_ set: InstructionSet, _ dtype: DType) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set, checksIndices: true)
        let reference = try CPUDevice(threads: 2, instructionSet: .scalar, checksIndices: true)
        for (index, window) in Self.windows.enumerated() {
            var problem = AttentionProblem(
                heads: 1 + index % 8, kvHeads: 1, headDim: [24, 16, 40][index % 3], lengths: Self.lengths(window))
            problem.window = window
            // Some positions of each, at the ends of what they see.
            let calls = [
                problem.lengths.indices.map { sequence in
                    let length = problem.lengths[sequence]
                    return AttentionProblem.Piece(sequence: sequence, positions: max(length - 70, 0)..<length)
                }
            ]
            let expected = try problem.run(reference, dtype, calls)
            let got = try problem.run(device, dtype, calls)
            #expect(error(expected, got) < tolerance(set, dtype), "window \(window): \(error(expected, got))")
        }
    }

    /// Every size of a group, over one boundary of partitions.
    @Test(arguments: vectorSets, AttentionTests.types)
    func groupsMatchReference(_ set: InstructionSet, _ dtype: DType) throws {
        let device = try CPUDevice(threads: 1, instructionSet: set, checksIndices: true)
        let reference = try CPUDevice(threads: 1, instructionSet: .scalar, checksIndices: true)
        for group in 1...8 {
            for window in [3, 20, 530] {
                var problem = AttentionProblem(heads: group * 2, kvHeads: 2, headDim: 32, lengths: [580])
                problem.window = window
                let expected = try problem.run(reference, dtype, problem.all(from: 480))
                let got = try problem.run(device, dtype, problem.all(from: 480))
                #expect(error(expected, got) < tolerance(set, dtype), "\(group), window \(window)")
            }
        }
    }

    /// The first keys of a call's tokens and its rule say the same in two ways.
    @Test(arguments: InstructionSet.available, AttentionTests.types)
    func aRuleIsWhatFirstKeysAre(_ set: InstructionSet, _ dtype: DType) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set, checksIndices: true)
        for (window, heads) in [(1, 1), (17, 3), (512, 4), (700, 2)] {
            var problem = AttentionProblem(heads: heads, kvHeads: 1, headDim: 24, lengths: [40, 800])
            problem.window = window
            let expected = try problem.run(device, dtype, problem.all(from: 30))
            problem.windowIsRule = true
            #expect(try problem.run(device, dtype, problem.all(from: 30)) == expected, "window \(window)")
            problem.passesFirstKeys = true
            #expect(try problem.run(device, dtype, problem.all(from: 30)) == expected, "window \(window)")
        }
    }

    /// A window is what a sequence without the keys before it would give, up to rounding: a wrong reference would not.
    @Test(arguments: AttentionTests.types)
    func seesExactlyItsWindow(_ dtype: DType) throws {
        let device = try CPUDevice(threads: 1, instructionSet: .scalar, checksIndices: true)
        for window in [1, 16, 17, 100] {
            var problem = AttentionProblem(heads: 2, kvHeads: 1, headDim: 16, lengths: [600])
            problem.window = window
            let clean = try problem.run(device, dtype, problem.all(from: 400))
            problem.poisoned = (0, 450)
            let poisoned = try problem.run(device, dtype, problem.all(from: 400))
            for position in 400..<600 {
                let sees = (450..<450 + window).contains(position)
                #expect(poisoned[0][position].allSatisfy(\.isNaN) == sees, "window \(window), position \(position)")
                if !sees { #expect(poisoned[0][position] == clean[0][position]) }
            }
        }
    }

    /// What is no number and is not seen reaches nothing, wherever in a block it stands.
    @Test(arguments: InstructionSet.available, AttentionTests.types)
    func whatIsNotSeenMayBeAnything(_ set: InstructionSet, _ dtype: DType) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set, checksIndices: true)
        for (window, poisoned) in [(3, 500), (17, 509), (40, 511), (100, 512), (33, 514)] {
            var problem = AttentionProblem(heads: 4, kvHeads: 2, headDim: 32, lengths: [640])
            problem.window = window
            let calls = problem.all(from: 470)
            let clean = try problem.run(device, dtype, calls)
            problem.poisoned = (0, poisoned)
            let got = try problem.run(device, dtype, calls)
            for position in 470..<640 {
                let sees = (poisoned..<poisoned + window).contains(position)
                #expect(got[0][position].contains(where: \.isNaN) == sees, "window \(window), position \(position)")
                if !sees { #expect(got[0][position] == clean[0][position], "window \(window), position \(position)") }
            }
        }
    }

    /// The same bits however a prompt is cut, whatever is beside it, and however many threads there are.
    @Test(arguments: InstructionSet.available, AttentionTests.types)
    func cutsAndThreadsChangeNothing(_ set: InstructionSet, _ dtype: DType) throws {
        let one = try CPUDevice(threads: 1, instructionSet: set, checksIndices: true)
        let many = try CPUDevice(threads: 5, instructionSet: set, attentionStateLimit: 100_000, checksIndices: true)
        for (window, heads) in [(1, 1), (17, 3), (100, 4), (511, 2), (513, 1), (600, 3)] {
            var problem = AttentionProblem(heads: heads, kvHeads: 1, headDim: 24, lengths: [40, 1180])
            problem.window = window
            let first = 950
            let expected = try problem.run(one, dtype, problem.all(from: first))
            #expect(
                try problem.run(many, dtype, problem.all(from: first), layoutSeed: 3) == expected, "window \(window)")
            for size in [1, 7, 50] {
                let calls =
                    [[AttentionProblem.Piece(sequence: 0, positions: 39..<40)]]
                    + stride(from: first, to: 1180, by: size).map {
                        [AttentionProblem.Piece(sequence: 1, positions: $0..<min($0 + size, 1180))]
                    }
                #expect(try problem.run(many, dtype, calls, layoutSeed: 2) == expected, "window \(window), \(size)")
            }
        }
    }

    /// Zeros are what no first keys are.
    @Test(arguments: InstructionSet.available, AttentionTests.types)
    func aWindowOfEverythingIsNone(_ set: InstructionSet, _ dtype: DType) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set, checksIndices: true)
        var problem = AttentionProblem(heads: 4, kvHeads: 2, headDim: 24, lengths: [70, 1100])
        let expected = try problem.run(device, dtype, problem.all(from: 1000))
        problem.passesFirstKeys = true
        #expect(try problem.run(device, dtype, problem.all(from: 1000)) == expected)
        problem.window = 1100
        #expect(try problem.run(device, dtype, problem.all(from: 1000)) == expected)
    }
}
