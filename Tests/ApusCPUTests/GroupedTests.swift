import ApusCPU
import ApusCompute
import ApusTestSupport
import CApusKernels
import Testing

/// Products of grouped matrices on every instruction set against the scalar definition, and whatever the rows.
@Suite struct GroupedTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let format: BlockFormat
        let outputs: Int
        let inputs: Int

        var testDescription: String { "\(format.rawValue) \(outputs) × \(inputs)" }
    }

    static let cases = BlockFormat.allCases.flatMap { format in
        format.size.inputs == 256
            ? [Case(format: format, outputs: 37, inputs: 512)]
            : [Case(format: format, outputs: 70, inputs: 576), Case(format: format, outputs: 16, inputs: 96)]
    }

    @Test(arguments: cases, InstructionSet.available)
    func setsAgreeWithTheScalarDefinition(_ one: Case, _ set: InstructionSet) throws {
        let source = try Self.source(one)
        let scalar = try CPUDevice(threads: 1, instructionSet: .scalar)
        let device = try CPUDevice(threads: 2, instructionSet: set)
        var random = SplitMix64(seed: 1)
        for rows in [1, 3, 4, 5, 12, 29] {
            let x = (0..<rows * one.inputs).map { _ in Float.random(in: -2...2, using: &random) }
            let expected = try Self.product(scalar, source, x, rows)
            let found = try Self.product(device, source, x, rows)
            let size = expected.map(abs).max() ?? 0
            for (left, right) in zip(expected, found) { #expect(abs(left - right) <= 2e-5 * size) }
            // The bits of a row alone.
            let alone = try Self.product(device, source, Array(x[..<one.inputs]), 1)
            #expect(alone == Array(found[..<one.outputs]))
        }
    }

    /// Widened, a matrix is what its codes say; and its product is near that of the codes.
    @Test(arguments: cases)
    func widenedElementsAreThoseOfTheProduct(_ one: Case) throws {
        let source = try Self.source(one)
        let device = try CPUDevice(threads: 1, instructionSet: .scalar)
        let rows = (0..<one.outputs).map { source.floats(ofRow: $0) }
        // Inputs that are one in one place are rounded to 127 · (1 / 127): what comes out is a column. Scales and offsets may
        // cancel each other, and are rounded to a few bits of the row's size.
        for input in [0, 17, 63, one.inputs - 1] {
            var x = [Float](repeating: 0, count: one.inputs)
            x[input] = 1
            let column = try Self.product(device, source, x, 1)
            for output in 0..<one.outputs {
                let size = rows[output].map(abs).max() ?? 0
                #expect(abs(column[output] - rows[output][input]) <= 0x1p-21 * size)
            }
        }
    }

    @Test(arguments: cases)
    func panelsHaveTheBytesThatPlansCount(_ one: Case) throws {
        let grouping = one.format.grouping
        var kernels = apus_grouping()
        kernels.bits = UInt8(grouping.bits)
        kernels.group = UInt8(grouping.group)
        kernels.scale = grouping.scale.rawValue
        kernels.offset = grouping.offset.rawValue
        #expect(grouping.panelByteCount(inputs: one.inputs) == apus_grouped_panel_bytes(&kernels, one.inputs))
    }

    private static func product(_ device: CPUDevice, _ source: WeightSource, _ x: [Float], _ rows: Int) throws
        -> [Float]
    {
        let weight = try device.prepare(source, as: source.format)
        let result = try device.makeTensor([rows, source.shape[0]])
        try device.linear(
            try device.makeTensor(x, [rows, source.shape[1]]), norm: nil,
            [Projection(weight, bias: nil).into(result)])
        return try device.download(result).elements()
    }

    /// Random codes, with scales of usual sizes.
    private static func source(_ one: Case) throws -> WeightSource {
        let size = one.format.size
        let blocks = one.outputs * one.inputs / size.inputs
        var random = SplitMix64(seed: UInt64(one.inputs))
        var bytes = (0..<blocks * size.bytes).map { _ in UInt8.random(in: 0...255, using: &random) }
        let halves: [Int] =
            switch one.format {
            case .q41, .q51, .q4k, .q5k: [0, 2]
            case .q2k: [80, 82]
            case .q3k: [108]
            case .q6k: [208]
            case .mxfp4: []
            default: [0]
            }
        for block in 0..<blocks {
            for half in halves {
                let value = bits(ofHalf: Float.random(in: 0.001...0.02, using: &random))
                bytes[block * size.bytes + half] = UInt8(value & 255)
                bytes[block * size.bytes + half + 1] = UInt8(value >> 8)
            }
            if one.format == .mxfp4 { bytes[block * size.bytes] = .random(in: 118...124, using: &random) }
        }
        let memory = AlignedBytes(bytes)
        return try WeightSource(
            name: "w", bytes: UnsafeRawBufferPointer(memory.bytes), owner: memory,
            shape: Shape([one.outputs, one.inputs]), format: .grouped(one.format.grouping),
            codes: .blocks(one.format))
    }

    private static func bits(ofHalf value: Float) -> UInt16 {
        var (from, to) = (value, UInt16(0))
        apus_convert(&from, APUS_F32, &to, APUS_F16, 1)
        return to
    }
}
