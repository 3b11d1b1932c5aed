import ApusCPU
import ApusCompute
import ApusTestSupport
import Testing

/// Matrices of codes that stand for floats: their products are those of the matrix in bfloat16, to the bit.
@Suite struct WidenedTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let grouping: WeightGrouping
        let scales: CodeArrays.ElementType
        var factor: Float?
        var testDescription: String { name }
    }

    private static let table: [Float] = [
        -1, -0.69, -0.52, -0.39, -0.28, -0.18, -0.09, 0, 0.08, 0.16, 0.25, 0.34, 0.44, 0.56, 0.72, 1,
    ]

    static let cases = [
        Case(name: "table, 64", grouping: WeightGrouping(.floats(table), group: 64, scale: .float32), scales: .float32),
        Case(
            name: "table, 128", grouping: WeightGrouping(.floats(table), group: 128, scale: .float16), scales: .float16),
        Case(
            name: "table, 16, E4M3", grouping: WeightGrouping(.floats(table), group: 16, scale: .float8),
            scales: .float8E4M3, factor: 0.0625),
        Case(
            name: "table, 32, powers", grouping: WeightGrouping(.floats(table), group: 32, scale: .bfloat16),
            scales: .power),
        Case(name: "E4M3, 128", grouping: WeightGrouping(.float8, group: 128, scale: .float32), scales: .float32),
        Case(name: "E4M3, rows", grouping: WeightGrouping(.float8, group: 64, scale: .row), scales: .float32),
        Case(name: "E4M3, 32, powers", grouping: WeightGrouping(.float8, group: 32, scale: .bfloat16), scales: .power),
    ]

    @Test(arguments: cases, InstructionSet.available)
    func productsAreThoseOfBFloat16(_ one: Case, _ set: InstructionSet) throws {
        for (outputs, inputs) in [(37, 256), (16, 64), (33, 328)] {
            let source = try Self.source(one, outputs, inputs)
            let device = try CPUDevice(threads: 2, instructionSet: set)
            let widened = try device.prepare(source, as: .grouped(one.grouping))
            let plain = try device.prepare(source, as: .bfloat16)
            var random = SplitMix64(seed: 3)
            for rows in [1, 2, 5, 18] {
                let x = try device.makeTensor(
                    (0..<rows * inputs).map { _ in Float.random(in: -2...2, using: &random) }, [rows, inputs])
                let results = try [widened, plain].map { weight -> [Float] in
                    let result = try device.makeTensor([rows, outputs])
                    try device.linear(x, norm: nil, [Projection(weight, bias: nil).into(result)])
                    return try device.download(result).elements()
                }
                #expect(results[0] == results[1])
                #expect(results[0].contains { $0 != 0 })
            }
        }
    }

    @Test(arguments: cases) func panelsHaveTheBytesThatPlansCount(_ one: Case) throws {
        let source = try Self.source(one, 48, 328)
        let device = try CPUDevice(threads: 1, instructionSet: .scalar)
        let weight = try device.prepare(source, as: source.format)
        #expect(weight.ownedByteCount == source.format.preparedByteCount(outputs: 48, inputs: 328))
    }

    private static func source(_ one: Case, _ outputs: Int, _ inputs: Int) throws -> WeightSource {
        let group = one.grouping.scale == .row ? inputs : one.grouping.group
        let groups = (inputs + group - 1) / group
        var random = SplitMix64(seed: UInt64(inputs))
        let codes = AlignedBytes(
            (0..<outputs * inputs * one.grouping.bits / 8).map { _ in
                // Without E4M3's two that are no numbers.
                let code = UInt8.random(in: 0...255, using: &random)
                return one.grouping.bits == 8 && code & 127 == 127 ? 0 : code
            })
        let scales = AlignedBytes(
            (0..<outputs * groups).flatMap { _ -> [UInt8] in
                let value = Float.random(in: 0.001...0.02, using: &random)
                switch one.scales {
                case .float32: return withUnsafeBytes(of: value) { Array($0) }
                case .float16:
                    return withUnsafeBytes(of: UInt16.random(in: 0x1400...0x2400, using: &random)) { Array($0) }
                case .bfloat16: return withUnsafeBytes(of: UInt16(value.bitPattern >> 16)) { Array($0) }
                case .float8E4M3: return [.random(in: 1...120, using: &random)]
                case .power: return [.random(in: 118...124, using: &random)]
                }
            })
        let size = scales.bytes.count / (outputs * groups)
        var arrays = CodeArrays(
            outputs: outputs, inputs: inputs, product: .grouped(one.grouping),
            codes: CodeArrays.Codes(
                UnsafeRawBufferPointer(codes.bytes), line: inputs * one.grouping.bits / 8, bits: one.grouping.bits),
            scales: CodeArrays.Values(
                UnsafeRawBufferPointer(scales.bytes), one.scales, line: groups * size, step: size, factor: one.factor),
            group: group, groups: groups, owner: [codes, scales])
        arrays.values =
            one.grouping.bits == 4
            ? table
            : (0..<256).map { code in
                let (exponent, fraction) = (code >> 3 & 15, Float(code & 7))
                let size =
                    exponent == 0
                    ? fraction * 0x1p-9
                    : (1 + fraction / 8) * Float(sign: .plus, exponent: exponent - 7, significand: 1)
                return code & 128 == 0 ? size : -size
            }
        return try WeightSource(
            name: "w", bytes: UnsafeRawBufferPointer(codes.bytes), owner: codes, shape: Shape([outputs, inputs]),
            format: .grouped(one.grouping), codes: .arrays(arrays))
    }
}
