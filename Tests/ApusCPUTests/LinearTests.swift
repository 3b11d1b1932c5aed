import ApusCPU
import ApusCompute
import ApusTestSupport
import Testing

/// Products on every instruction set of this machine, in every format.
@Suite struct LinearTests {
    static let vectorSets = InstructionSet.available.filter { $0 != .scalar }
    static let shapes = [
        (1, 1, 1), (3, 5, 7), (4, 40, 64), (5, 41, 65), (7, 33, 64), (17, 70, 95), (50, 100, 130), (2, 257, 512),
    ]

    /// norm(x) · weightᵀ + bias, added to ones.
    private func linear(
        _ device: CPUDevice, _ x: HostTensor, _ w: HostTensor, _ format: WeightFormat, norm: HostTensor? = nil,
        bias: HostTensor? = nil
    ) throws -> [Float] {
        let y = try device.makeTensor([Float](repeating: 1, count: x.shape[0] * w.shape[0]), [x.shape[0], w.shape[0]])
        try device.linear(
            device.makeTensor(x), norm: norm.map { Norm(weight: try device.makeTensor($0), epsilon: 1e-5) },
            [
                Projection(device.prepare(.rows(w), as: format), bias: bias.map { try device.makeTensor($0) })
                    .added(to: y)
            ])
        return try device.download(y).elements()
    }

    @Test(arguments: vectorSets, WeightFormat.named)
    func matchesReference(_ set: InstructionSet, _ format: WeightFormat) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set)
        let reference = try CPUDevice(threads: 1, instructionSet: .scalar)
        for (rows, outputs, inputs) in Self.shapes {
            let x = try HostTensor.random([rows, inputs], seed: 1)
            let w = try HostTensor.random([outputs, inputs], seed: 2)
            let norm = try HostTensor.random([inputs], seed: 3)
            let bias = try HostTensor.random([outputs], seed: 4)
            let expected = try linear(reference, x, w, format, norm: norm, bias: bias)
            let got = try linear(device, x, w, format, norm: norm, bias: bias)
            // Inputs rounded to bfloat16 are off by at most 2^-8 of themselves, and to integers by 1 of 127 where the norm
            // falls on the other side of a half; sums of float32 by inputs * 2^-24.
            let unit: Float =
                switch format {
                case .bfloat16: set >= .avx512BF16 ? 0x1p-7 : 0x1p-20
                case .int8, .int4: 0x1p-7
                default: 0x1p-20
                }
            for (a, b) in zip(expected, got) { #expect(abs(a - b) <= unit * Float(inputs).squareRoot() + 2e-6) }
        }
    }

    /// With its bias, and before it is added to anything.
    @Test(arguments: InstructionSet.available, WeightFormat.named)
    func aScaledProductIsTheProductScaled(_ set: InstructionSet, _ format: WeightFormat) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set)
        for (rows, outputs, inputs) in [(1, 5, 40), (3, 64, 70), (37, 83, 203)] {
            let weight = try device.prepare(.rows(HostTensor.random([outputs, inputs], seed: 2)), as: format)
            let projection = Projection(
                weight, bias: try device.makeTensor(HostTensor.random([outputs], seed: 4)))
            let x = try device.makeTensor(HostTensor.random([rows, inputs], seed: 1))
            let plain = try device.makeTensor([rows, outputs])
            let scaled = try device.makeTensor([rows, outputs])
            let base = try HostTensor.random([rows, outputs], seed: 5)
            let sum = try device.makeTensor(base)
            try device.linear(
                x, norm: nil,
                [
                    projection.into(plain), projection.into(scaled, scale: 0.37),
                    projection.added(to: sum, scale: 0.37),
                ])
            let unscaled: [Float] = try device.download(plain).elements()
            let expected = unscaled.map { $0 * 0.37 }
            #expect(try device.download(scaled).elements() == expected)
            let before: [Float] = try base.elements()
            #expect(try device.download(sum).elements() == zip(expected, before).map { $0 + $1 })
        }
    }

    /// Integer products are exact, so without a norm before them every instruction set has the same bits.
    @Test(arguments: vectorSets, [WeightFormat.int8, .int4])
    func integerProductsAreTheSameOnEveryInstructionSet(_ set: InstructionSet, _ format: WeightFormat) throws {
        let reference = try CPUDevice(threads: 1, instructionSet: .scalar)
        let device = try CPUDevice(threads: 2, instructionSet: set)
        for (rows, outputs, inputs) in Self.shapes {
            let x = try HostTensor.random([rows, inputs], seed: 1)
            let w = try HostTensor.random([outputs, inputs], seed: 2)
            let expected = try linear(reference, x, w, format)
            let got = try linear(device, x, w, format)
            #expect(got == expected, "\(rows) rows, \(outputs) outputs, \(inputs) inputs")
        }
    }

    @Test(arguments: InstructionSet.available, WeightFormat.named)
    func isTheSameAtEveryRowAndThreadCount(_ set: InstructionSet, _ format: WeightFormat) throws {
        let w = try HostTensor.random([83, 203], seed: 5)
        let x = try HostTensor.random([70, 203], seed: 6)
        let norm = try HostTensor.random([203], seed: 7)
        let all = try linear(CPUDevice(threads: 3, instructionSet: set), x, w, format, norm: norm)
        let single = try CPUDevice(threads: 1, instructionSet: set)
        for rows in [0..<1, 1..<2, 5..<7, 20..<23, 15..<18, 16..<20, 40..<45, 47..<48, 30..<70, 69..<70] {
            let alone = try linear(single, x.rows(rows), w, format, norm: norm)
            #expect(alone == Array(all[rows.lowerBound * 83..<rows.upperBound * 83]))
        }
    }

    /// However rows are cut into tiles, nothing is written past the last of them.
    @Test(arguments: vectorSets, WeightFormat.named)
    func writesItsRowsOnly(_ set: InstructionSet, _ format: WeightFormat) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set)
        let weight = try device.prepare(.rows(.random([20, 64], seed: 1)), as: format)
        for rows in 1...520 {
            let whole = try device.makeTensor([Float](repeating: 7, count: (rows + 40) * 20), [rows + 40, 20])
            try device.linear(
                device.makeTensor(.random([rows, 64], seed: 2)), norm: nil,
                [Product(Projection(weight), into: whole.prefix(rows: rows))])
            let values: [Float] = try device.download(whole).elements()
            #expect(values[(rows * 20)...].allSatisfy { $0 == 7 }, "\(rows) rows")
            #expect(!values[..<(rows * 20)].contains(7), "\(rows) rows")
        }
    }

    /// More rows than a cache holds are taken in blocks.
    @Test(arguments: vectorSets, WeightFormat.named)
    func isTheSameForManyRows(_ set: InstructionSet, _ format: WeightFormat) throws {
        let w = try HostTensor.random([130, 2048], seed: 5)
        let x = try HostTensor.random([450, 2048], seed: 6)
        let all = try linear(CPUDevice(threads: 2, instructionSet: set), x, w, format)
        let device = try CPUDevice(threads: 1, instructionSet: set)
        for rows in [0..<1, 190..<212, 449..<450] {
            let alone = try linear(device, x.rows(rows), w, format)
            #expect(alone == Array(all[rows.lowerBound * 130..<rows.upperBound * 130]))
        }
    }

    @Test(arguments: InstructionSet.available, WeightFormat.named)
    func packingAheadChangesNoBit(_ set: InstructionSet, _ format: WeightFormat) throws {
        let ahead = try CPUDevice(threads: 2, instructionSet: set)
        let atUse = try CPUDevice(threads: 2, instructionSet: set, panelBudget: 0)
        for (rows, outputs, inputs) in Self.shapes {
            let x = try HostTensor.random([rows, inputs], seed: 1)
            let w = try HostTensor.random([outputs, inputs], seed: 2)
            #expect(try linear(ahead, x, w, format) == linear(atUse, x, w, format))
        }
    }

    @Test(arguments: InstructionSet.available)
    func severalProductsAreThoseOfEachAlone(_ set: InstructionSet) throws {
        let device = try CPUDevice(threads: 3, instructionSet: set)
        let x = try device.makeTensor(.random([20, 96], seed: 1))
        let weights = try [70, 16, 33].map { outputs in
            try device.prepare(.rows(.random([outputs, 96], seed: UInt64(outputs))), as: .bfloat16)
        }
        func results(_ calls: [[Int]]) throws -> [[Float]] {
            let results = try weights.map { try device.makeTensor([20, $0.shape[0]]) }
            for call in calls {
                try device.linear(x, norm: nil, call.map { Projection(weights[$0]).into(results[$0]) })
            }
            return try results.map { try device.download($0).elements() }
        }
        #expect(try results([[0, 1, 2]]) == results([[2], [1], [0]]))
    }

    @Test(arguments: InstructionSet.available, [Activation.silu, .gelu, .geluTanh, .relu])
    func gatesWhatItMultiplies(_ set: InstructionSet, _ activation: Activation) throws {
        func gated(_ device: CPUDevice) throws -> [Float] {
            let result = try device.makeTensor([19, 75])
            try device.gatedLinear(
                device.makeTensor(.random([19, 48], seed: 1)), norm: nil,
                gate: Projection(device.prepare(.rows(.random([75, 48], seed: 2)), as: .float32)),
                up: Projection(device.prepare(.rows(.random([75, 48], seed: 3)), as: .float32)), activation,
                into: result)
            return try device.download(result).elements()
        }
        let expected = try gated(CPUDevice(threads: 1, instructionSet: .scalar))
        let got = try gated(CPUDevice(threads: 3, instructionSet: set))
        #expect(expected.contains { $0 != 0 })
        for (a, b) in zip(expected, got) { #expect(abs(a - b) <= 2e-5 * max(1, abs(a))) }
    }

    /// Memory may end between the two matrices of a gate.
    @Test(arguments: InstructionSet.available, WeightFormat.named)
    func gatesWithOneMatrixPackedAtUse(_ set: InstructionSet, _ format: WeightFormat) throws {
        func gated(panelBudget: Int) throws -> (values: [Float], unprepared: Int) {
            let device = try CPUDevice(threads: 2, instructionSet: set, panelBudget: panelBudget)
            let gate = try device.prepare(.rows(.random([640, 1024], seed: 2)), as: format)
            let up = try device.prepare(.rows(.random([640, 1024], seed: 3)), as: format)
            let result = try device.makeTensor([5, 640])
            try device.gatedLinear(
                device.makeTensor(.random([5, 1024], seed: 1)), norm: nil, gate: Projection(gate), up: Projection(up),
                .silu, into: result)
            return (try device.download(result).elements(), device.unpreparedByteCount)
        }
        let whole = try gated(panelBudget: .max)
        let one = try gated(panelBudget: try gated(panelBudget: 0).unprepared * 3 / 4)
        let none = try gated(panelBudget: 0)
        #expect(whole.unprepared == 0 && none.unprepared > 0)
        #expect(one.unprepared == none.unprepared / 2)
        #expect(whole.values == one.values && whole.values == none.values)
    }

    /// An even spread is the worst case for both: off by half a step of 127, or of a group's 15, once it is rotated and no longer
    /// even.
    @Test(arguments: [(WeightFormat.int8, Float(0.012)), (.int4, 0.1)])
    func roundingLosesLittle(_ format: WeightFormat, _ bound: Float) throws {
        let device = try CPUDevice(threads: 2)
        let x = try HostTensor.random([8, 1024], seed: 1)
        let w = try HostTensor.random([64, 1024], seed: 2)
        let exact = try linear(device, x, w, .float32)
        let rounded = try linear(device, x, w, format)
        let error = zip(exact, rounded).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let size = exact.reduce(Float(0)) { $0 + ($1 - 1) * ($1 - 1) }
        #expect((error / size).squareRoot() < bound)
    }

    /// Each form of activations is made for the matrices that take it.
    @Test(arguments: InstructionSet.available)
    func productsOfSeveralFormatsAreThoseOfEachAlone(_ set: InstructionSet) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set)
        let x = try HostTensor.random([3, 64], seed: 1)
        let w = try HostTensor.random([20, 64], seed: 2)
        let results = try WeightFormat.named.map { _ in
            try device.makeTensor([Float](repeating: 1, count: 60), [3, 20])
        }
        try device.linear(
            device.makeTensor(x), norm: nil,
            zip(WeightFormat.named, results).map { try Projection(device.prepare(.rows(w), as: $0)).added(to: $1) })
        for (format, result) in zip(WeightFormat.named, results) {
            let alone = try linear(device, x, w, format)
            #expect(try device.download(result).elements() == alone)
        }
    }

    @Test func refusesWhatDoesNotFit() throws {
        let device = try CPUDevice(threads: 1)
        let weight = try device.prepare(.rows(.random([4, 8], seed: 1)), as: .float32)
        let x = try device.makeTensor([2, 8])
        #expect(throws: ComputeError.self) {
            try device.linear(x, norm: nil, [Product(Projection(weight), into: device.makeTensor([2, 5]))])
        }
        #expect(throws: ComputeError.self) {
            try device.linear(
                device.makeTensor([2, 7]), norm: nil, [Product(Projection(weight), into: device.makeTensor([2, 4]))])
        }
        #expect(throws: ComputeError.self) {
            let long = try HostTensor([Float](repeating: 0, count: 131_073), shape: [1, 131_073])
            _ = try device.prepare(.rows(long), as: .int8)
        }
    }
}

extension WeightSource {
    /// The rows of a tensor, as if they stood in a file.
    static func rows(_ values: HostTensor, identity: String = "") throws -> WeightSource {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: values.bytes.count, alignment: 64)
        bytes.copyBytes(from: values.bytes)
        return try WeightSource(
            name: "test", identity: identity, bytes: UnsafeRawBufferPointer(bytes), owner: OwnedBytes(bytes),
            shape: values.shape,
            format: .float32)
    }
}

private final class OwnedBytes: @unchecked Sendable {
    private let bytes: UnsafeMutableRawBufferPointer

    init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

    deinit { bytes.deallocate() }
}
