import ApusCPU
import ApusCompute
import ApusTestSupport
import Testing

/// Every instruction set of this machine against the scalar reference.
@Suite struct KernelTests {
    static let vectorSets = InstructionSet.available.filter { $0 != .scalar }
    let reference: CPUDevice

    init() throws { reference = try CPUDevice(threads: 1, instructionSet: .scalar) }

    private func random(_ dimensions: [Int], seed: UInt64, scale: Float = 1) throws -> HostTensor {
        var generator = SplitMix64(seed: seed)
        let values = (0..<dimensions.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &generator) * scale }
        return try HostTensor(values, shape: dimensions)
    }

    private func weight(_ values: HostTensor, as dtype: DType, on device: CPUDevice) throws -> any PreparedWeight {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: values.bytes.count, alignment: 64)
        bytes.copyBytes(from: values.bytes)
        let source = try WeightSource(
            name: "test", bytes: UnsafeRawBufferPointer(bytes), owner: 0, shape: values.shape, dtype: .float32)
        return try device.prepare(source, as: dtype)
    }

    private func linear(_ device: CPUDevice, _ x: HostTensor, _ w: HostTensor, _ dtype: DType, bias: HostTensor?) throws
        -> [Float]
    {
        let y = try device.makeTensor([x.shape[0], w.shape[0]])
        try device.linear(
            device.makeTensor(x), weight(w, as: dtype, on: device),
            bias: bias.map { try device.makeTensor($0) }, into: y)
        return try device.download(y).elements()
    }

    @Test(arguments: vectorSets, [DType.float32, .float16, .bfloat16])
    func linearMatchesReference(_ set: InstructionSet, _ dtype: DType) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set)
        for (rows, outputs, inputs) in [(1, 1, 1), (3, 5, 7), (7, 33, 64), (17, 70, 95), (50, 100, 130), (2, 257, 512)]
        {
            let x = try random([rows, inputs], seed: 1)
            let w = try random([outputs, inputs], seed: 2)
            let bias = try random([outputs], seed: 3)
            let expected = try linear(reference, x, w, dtype, bias: bias)
            let got = try linear(device, x, w, dtype, bias: bias)
            // Inputs rounded to bfloat16 are off by at most 2^-8 of themselves; sums of float32 by inputs * 2^-24.
            let unit: Float =
                dtype == .bfloat16 && set.rawValue >= InstructionSet.avx512BF16.rawValue ? 0x1p-8 : 0x1p-20
            for (a, b) in zip(expected, got) { #expect(abs(a - b) <= unit * Float(inputs).squareRoot() + 1e-6) }
        }
    }

    @Test(arguments: vectorSets, [DType.float32, .float16, .bfloat16])
    func linearIsTheSameAtEveryRowAndThreadCount(_ set: InstructionSet, _ dtype: DType) throws {
        let w = try random([83, 203], seed: 5)
        let x = try random([70, 203], seed: 6)
        let all = try linear(CPUDevice(threads: 3, instructionSet: set), x, w, dtype, bias: nil)
        let single = try CPUDevice(threads: 1, instructionSet: set)
        for row in [0, 1, 15, 16, 47, 48, 69] {
            let alone = try linear(single, x.rows(row..<row + 1), w, dtype, bias: nil)
            #expect(alone == Array(all[row * 83..<(row + 1) * 83]))
        }
    }

    @Test(arguments: vectorSets)
    func elementwiseMatchesReference(_ set: InstructionSet) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set)
        for width in [1, 5, 16, 37, 130] {
            let x = try random([9, width], seed: 7, scale: 4)
            let y = try random([9, width], seed: 8, scale: 4)
            let scale = try random([width], seed: 9)
            func results(_ device: CPUDevice) throws -> [[Float]] {
                var all: [[Float]] = []
                let result = try device.makeTensor([9, width])
                try device.rmsNorm(
                    device.makeTensor(x), weight: device.makeTensor(scale), epsilon: 1e-5, into: result)
                all.append(try device.download(result).elements())
                for activation in [Activation.silu, .gelu, .geluTanh, .relu] {
                    let gate = try device.makeTensor(x)
                    try device.gatedActivation(activation, gate: gate, up: device.makeTensor(y))
                    all.append(try device.download(gate).elements())
                }
                let sum = try device.makeTensor(x)
                try device.add(device.makeTensor(y), to: sum)
                all.append(try device.download(sum).elements())
                return all
            }
            for (expected, got) in zip(try results(reference), try results(device)) {
                for (a, b) in zip(expected, got) { #expect(abs(a - b) <= 2e-6 * max(1, abs(a))) }
            }
        }
    }

    @Test(arguments: vectorSets)
    func argmaxTakesTheFirstOfEquals(_ set: InstructionSet) throws {
        let device = try CPUDevice(threads: 1, instructionSet: set)
        for count in [1, 4, 16, 33, 100] {
            for best in 0..<count {
                var row = [Float](repeating: -3, count: count)
                row[best] = 2
                row[count - 1] = max(row[count - 1], 2)
                let result = try device.makeTensor([1], .int32)
                try device.argmax(device.makeTensor(row, [1, count]), into: result)
                #expect(try device.download(result).elements(as: Int32.self) == [Int32(best)])
            }
        }
    }

    @Test func refusesAnInstructionSetThatIsMissing() {
        #expect(throws: Never.self) { try CPUDevice(threads: 1, instructionSet: .portable) }
    }
}
