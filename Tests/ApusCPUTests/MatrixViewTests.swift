import ApusCPU
import ApusCompute
import Testing

/// Matrices that are parts of what is stored: the same as if they stood alone.
@Suite struct MatrixViewTests {
    private struct Case {
        var outputs: Int
        var view: MatrixView
    }

    /// Heads of 24 in groups of three parts, slices, and single rows that take turns.
    private static let cases = [
        Case(outputs: 96, view: MatrixView(storedOutputs: 288, first: 24, run: 24, period: 72)),
        Case(outputs: 40, view: MatrixView(storedOutputs: 100, first: 17, run: 40, period: 40)),
        Case(outputs: 33, view: MatrixView(storedOutputs: 66, first: 1, run: 1, period: 2)),
        Case(outputs: 50, view: MatrixView(outputs: 50, isTransposed: true)),
        Case(outputs: 48, view: MatrixView(storedOutputs: 144, first: 48, run: 48, period: 48, isTransposed: true)),
        Case(outputs: 30, view: MatrixView(storedOutputs: 60, first: 1, run: 1, period: 2, isTransposed: true)),
    ]

    private final class Bytes: Sendable {
        nonisolated(unsafe) let buffer: UnsafeMutableRawBufferPointer

        init(_ bytes: [UInt8]) {
            // At an odd address, as in a file.
            buffer = .allocate(byteCount: bytes.count + 1, alignment: 64)
            UnsafeMutableRawBufferPointer(rebasing: buffer[1...]).copyBytes(from: bytes)
        }

        deinit { buffer.deallocate() }

        var all: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[1...]) }
    }

    private func source(_ tensor: HostTensor, outputs: Int, inputs: Int, _ view: MatrixView?) throws -> WeightSource {
        let bytes = Bytes(tensor.bytes)
        return try WeightSource(
            name: "w", bytes: bytes.all, owner: bytes, shape: Shape([outputs, inputs]),
            format: try #require(WeightFormat(tensor.dtype)), view: view)
    }

    private func random(_ shape: [Int], _ dtype: DType) throws -> HostTensor {
        let floats = try HostTensor.random(shape, seed: 3)
        guard dtype == .bfloat16 else { return floats }
        let halves = try (floats.elements() as [Float]).map { HalfPrecision.bfloat16($0) }
        return try HostTensor(shape: floats.shape, dtype: dtype, bytes: halves.withUnsafeBytes { Array($0) })
    }

    @Test(arguments: InstructionSet.available, WeightFormat.named)
    func multiplyAsIfTheyStoodAlone(_ set: InstructionSet, _ format: WeightFormat) throws {
        let inputs = 70
        for (dtype, budget) in [(DType.float32, Int.max), (.bfloat16, .max), (.bfloat16, 0)] {
            let device = try CPUDevice(threads: 2, instructionSet: set, panelBudget: budget)
            for item in Self.cases {
                let stored = item.view.storedOutputs
                let shape = item.view.isTransposed ? [inputs, stored] : [stored, inputs]
                let whole = try random(shape, dtype)
                let size = dtype.byteCount
                let own = (0..<item.outputs).flatMap { output in
                    (0..<inputs).flatMap { input in
                        let row = item.view.row(output)
                        let at = (item.view.isTransposed ? input * stored + row : row * inputs + input) * size
                        return whole.bytes[at..<at + size]
                    }
                }
                let alone = try HostTensor(shape: Shape([item.outputs, inputs]), dtype: dtype, bytes: own)
                let x = try device.makeTensor(HostTensor.random([3, inputs], seed: 1))
                func product(_ source: WeightSource) throws -> [Float] {
                    let y = try device.makeTensor([3, item.outputs])
                    try device.linear(x, norm: nil, [Projection(device.prepare(source, as: format)).into(y)])
                    return try device.download(y).elements()
                }
                let expected = try product(source(alone, outputs: item.outputs, inputs: inputs, nil))
                let got = try product(source(whole, outputs: item.outputs, inputs: inputs, item.view))
                #expect(got == expected, "\(item)")
            }
        }
    }

    @Test func refusesWhatIsNotInWhatIsStored() throws {
        let tensor = try HostTensor.random([10, 4], seed: 1)
        for view in [
            MatrixView(storedOutputs: 10, first: 8, run: 4, period: 4),
            MatrixView(storedOutputs: 10, first: 1, run: 1, period: 3), MatrixView(storedOutputs: 9, run: 4, period: 4),
        ] {
            #expect(throws: ComputeError.self) { try source(tensor, outputs: 4, inputs: 4, view) }
        }
    }
}
