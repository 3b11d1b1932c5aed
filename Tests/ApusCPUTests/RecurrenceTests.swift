import ApusCPU
import ApusCompute
import Testing

/// Convolutions and delta nets, whose sequences have states.
@Suite struct RecurrenceTests {
    private static let (keyHeads, valueHeads, keyDim, valueDim, taps) = (2, 4, 12, 20, 4)
    private static let mixedWidth = 2 * keyHeads * keyDim + valueHeads * valueDim
    private static let lengths = [23, 1, 40]

    private func random(_ width: Int, _ seed: UInt64, sequence: Int) throws -> [Float] {
        try HostTensor.random([Self.lengths[sequence], width], seed: seed + UInt64(sequence) * 100).elements()
    }

    /// Runs all sequences through both, each step with some tokens of each, over states that held no numbers.
    /// Returns the results of each sequence.
    private func run(_ device: CPUDevice, piece: Int, together: Bool) throws -> [[Float]] {
        let slots = 5
        func poisoned(_ dimensions: [Int]) throws -> Tensor {
            try device.makeTensor([Float](repeating: .nan, count: dimensions.reduce(1, *)), dimensions)
        }
        let before = try poisoned([slots, Self.taps - 1, Self.mixedWidth])
        let state = try poisoned([slots, Self.valueHeads, Self.keyDim, Self.valueDim])
        let filter = try device.makeTensor(HostTensor.random([Self.taps, Self.mixedWidth], seed: 1))
        let bias = try device.makeTensor(HostTensor.random([Self.mixedWidth], seed: 2))
        let valueWidth = Self.valueHeads * Self.valueDim
        let rule = DeltaRule(
            keyHeads: Self.keyHeads, valueHeads: Self.valueHeads, keyDim: Self.keyDim, valueDim: Self.valueDim,
            decay: try device.makeTensor([-0.3, -1.5, -0.02, -4] as [Float]),
            offset: try device.makeTensor([0.1, -0.5, 2, 0] as [Float]),
            norm: Norm(weight: try device.makeTensor(HostTensor.random([Self.valueDim], seed: 3)), epsilon: 1e-6))
        var done = Self.lengths.map { _ in 0 }
        var results = [[Float]](repeating: [], count: Self.lengths.count)
        func step(_ sequences: [Int]) throws {
            let ranges = sequences.map { done[$0]..<min(done[$0] + piece, Self.lengths[$0]) }
            func rows(_ width: Int, _ seed: UInt64) throws -> Tensor {
                let all = try zip(sequences, ranges).flatMap { sequence, range in
                    try random(width, seed, sequence: sequence)[range.lowerBound * width..<range.upperBound * width]
                }
                return try device.makeTensor(all, [all.count / width, width])
            }
            let positions = ranges.flatMap { $0.map(Int32.init) }
            let slots = zip(sequences, ranges).flatMap { sequence, range in range.map { _ in Int32(4 - sequence) } }
            let batch = AttentionBatch(
                positions: try device.makeTensor(positions), sequences: try device.makeTensor(slots),
                slots: try device.makeTensor(positions), blockTables: try device.makeTensor([Int32(0)], [1, 1]))
            let mixed = try device.makeTensor([positions.count, Self.mixedWidth])
            try device.convolve(
                rows(Self.mixedWidth, 4), filter, bias: bias, hasSiLU: true, state: before, batch: batch, into: mixed)
            let y = try device.makeTensor([positions.count, valueWidth])
            try device.advance(
                mixed, a: rows(Self.valueHeads, 5), b: rows(Self.valueHeads, 6), z: rows(valueWidth, 7), rule: rule,
                state: state, batch: batch, into: y)
            var values: [Float] = try device.download(y).elements()
            for (sequence, range) in zip(sequences, ranges) {
                results[sequence] += values.prefix(range.count * valueWidth)
                values.removeFirst(range.count * valueWidth)
                done[sequence] = range.upperBound
            }
        }
        while let first = Self.lengths.indices.first(where: { done[$0] < Self.lengths[$0] }) {
            try step(together ? Self.lengths.indices.filter { done[$0] < Self.lengths[$0] } : [first])
        }
        return results
    }

    @Test(arguments: InstructionSet.available)
    func dependOnTheirOwnTokensAlone(_ set: InstructionSet) throws {
        let expected = try run(CPUDevice(threads: 1, instructionSet: set), piece: .max / 2, together: true)
        #expect(expected.joined().allSatisfy { $0.isFinite })
        for (threads, piece, together) in [(2, 1, true), (3, 7, false), (1, 2, true), (2, 100, false)] {
            let device = try CPUDevice(threads: threads, instructionSet: set)
            #expect(try run(device, piece: piece, together: together) == expected)
        }
    }

    @Test(arguments: InstructionSet.available.filter { $0 != .scalar })
    func matchReference(_ set: InstructionSet) throws {
        let expected = try run(CPUDevice(threads: 1, instructionSet: .scalar), piece: 9, together: true)
        let got = try run(CPUDevice(threads: 2, instructionSet: set), piece: 9, together: true)
        #expect(zip(expected.joined(), got.joined()).allSatisfy { abs($0 - $1) < 5e-5 * max(abs($0), 1) })
    }
}
