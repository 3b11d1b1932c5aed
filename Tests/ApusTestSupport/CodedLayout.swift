import ApusCompute

/// A module in the layout of another tool, packed by its description (Tests/Parity/QUANTIZED.md) from random codes.
package struct CodedLayout: Sendable {
    package let name: String
    /// Of a matrix to try it with.
    package let outputs: Int, inputs: Int
    /// `quantization_config`.
    package let config: String
    /// Whether products read it as bfloat16.
    package let isWidened: Bool
    private let make: @Sendable (inout SafetensorsBuilder, String, inout SplitMix64, Int, Int) -> [Float]

    private init(
        _ name: String, _ outputs: Int, _ inputs: Int, _ config: String, isWidened: Bool = false,
        _ make: @escaping @Sendable (inout SafetensorsBuilder, String, inout SplitMix64, Int, Int) -> [Float]
    ) {
        (self.name, self.outputs, self.inputs, self.config) = (name, outputs, inputs, config)
        (self.isWidened, self.make) = (isWidened, make)
    }

    /// Adds the tensors of a module, and returns the matrix that they stand for: [outputs, inputs].
    package func add(
        _ module: String, to file: inout SafetensorsBuilder, _ random: inout SplitMix64, outputs: Int, inputs: Int
    ) -> [Float] {
        make(&file, module, &random, outputs, inputs)
    }

    // MARK: Packing

    /// Lines of codes as one stream of bits each, in words of 32.
    private static func stream(_ lines: [[Int]], bits: Int) -> [UInt8] {
        lines.flatMap { line -> [UInt8] in
            var words = [UInt32](repeating: 0, count: (line.count * bits + 31) / 32)
            for (index, code) in line.enumerated() {
                for bit in 0..<bits where code >> bit & 1 == 1 {
                    words[(index * bits + bit) / 32] |= 1 << UInt32((index * bits + bit) % 32)
                }
            }
            return words.withUnsafeBytes { Array($0) }
        }
    }

    private static func turned(_ lines: [[Int]]) -> [[Int]] {
        (0..<(lines.first?.count ?? 0)).map { column in lines.map { $0[column] } }
    }

    private static func halves(_ values: [Float]) -> [UInt8] {
        values.map { HalfPrecision.float16($0) }.withUnsafeBytes { Array($0) }
    }

    private static func codes(_ random: inout SplitMix64, _ lines: Int, _ count: Int, bits: Int) -> [[Int]] {
        (0..<lines).map { _ in (0..<count).map { _ in Int(random.next() >> 40) & (1 << bits - 1) } }
    }

    /// Scales that float16 holds.
    private static func scales(_ random: inout SplitMix64, _ count: Int) -> [Float] {
        (0..<count).map { _ in Float(Int(random.next() >> 54) - 512) / 8192 }
    }

    /// GPTQ: words along the inputs, zeros along the outputs, one less than they are; groups of any inputs where `isPermuted`.
    private static func gptq(
        _ file: inout SafetensorsBuilder, _ name: String, _ random: inout SplitMix64, _ outputs: Int, _ inputs: Int,
        bits: Int,
        group: Int, isPermuted: Bool, zero: Int?
    ) -> [Float] {
        let groups = (inputs + group - 1) / group
        let codes = codes(&random, outputs, inputs, bits: bits)
        let scales = scales(&random, groups * outputs)
        let zeros = (0..<groups).map { _ in
            (0..<outputs).map { _ in zero ?? 1 + Int(random.next() >> 40) & (1 << (bits - 1) - 1) }
        }
        var map = (0..<inputs).map { $0 / group }
        if isPermuted { map.shuffle(using: &random) }
        let columns = turned(stream32(codes, bits: bits))
        file.add(
            name + ".qweight", "I32", [columns.count, outputs],
            columns.flatMap { $0 }.map { UInt32($0) }.withUnsafeBytes { Array($0) })
        file.add(
            name + ".qzeros", "I32", [groups, (outputs * bits + 31) / 32],
            stream(zeros.map { $0.map { $0 - 1 } }, bits: bits))
        file.add(name + ".scales", "F16", [groups, outputs], halves(scales))
        if isPermuted {
            file.add(name + ".g_idx", "I32", [inputs], map.map { Int32($0) }.withUnsafeBytes { Array($0) })
        }
        return (0..<outputs).flatMap { output in
            (0..<inputs).map { input in
                scales[map[input] * outputs + output] * Float(codes[output][input] - zeros[map[input]][output])
            }
        }
    }

    private static func stream32(_ lines: [[Int]], bits: Int) -> [[Int]] {
        lines.map { line in
            stream([line], bits: bits).withUnsafeBytes { $0.bindMemory(to: UInt32.self).map { Int($0) } }
        }
    }

    /// AWQ: words along the outputs, whose nibbles take turns.
    private static func awq(
        _ file: inout SafetensorsBuilder, _ name: String, _ random: inout SplitMix64, _ outputs: Int, _ inputs: Int
    ) -> [Float] {
        let (group, order) = (64, [0, 2, 4, 6, 1, 3, 5, 7])
        let codes = codes(&random, inputs, outputs, bits: 4)
        let zeros = self.codes(&random, inputs / group, outputs, bits: 4)
        let scales = scales(&random, inputs / group * outputs)
        func packed(_ lines: [[Int]]) -> [UInt8] {
            stream(lines.map { line in line.indices.map { line[$0 / 8 * 8 + order[$0 % 8]] } }, bits: 4)
        }
        file.add(name + ".qweight", "I32", [inputs, outputs / 8], packed(codes))
        file.add(name + ".qzeros", "I32", [inputs / group, outputs / 8], packed(zeros))
        file.add(name + ".scales", "F16", [inputs / group, outputs], halves(scales))
        return (0..<outputs).flatMap { output in
            (0..<inputs).map { input in
                let at = input / group
                return scales[at * outputs + output] * Float(codes[input][output] - zeros[at][output])
            }
        }
    }

    private static func compressed(
        _ file: inout SafetensorsBuilder, _ name: String, _ random: inout SplitMix64, _ outputs: Int, _ inputs: Int
    ) -> [Float] {
        let (group, bits) = (32, 4)
        let codes = codes(&random, outputs, inputs, bits: bits)
        let scales = scales(&random, outputs * inputs / group)
        file.add(name + ".weight_packed", "I32", [outputs, inputs / 8], stream(codes, bits: bits))
        file.add(name + ".weight_scale", "F16", [outputs, inputs / group], halves(scales))
        file.add(name + ".weight_shape", "I64", [2], [Int64(outputs), Int64(inputs)].withUnsafeBytes { Array($0) })
        return (0..<outputs).flatMap { output in
            (0..<inputs).map { scales[output * (inputs / group) + $0 / group] * Float(codes[output][$0] - 8) }
        }
    }

    private static func mlx(
        _ file: inout SafetensorsBuilder, _ name: String, _ random: inout SplitMix64, _ outputs: Int, _ inputs: Int,
        bits: Int
    ) -> [Float] {
        let group = 64
        let codes = codes(&random, outputs, inputs, bits: bits)
        let scales = scales(&random, outputs * inputs / group)
        let offsets = self.scales(&random, outputs * inputs / group)
        file.add(name + ".weight", "U32", [outputs, inputs * bits / 32], stream(codes, bits: bits))
        file.add(name + ".scales", "F16", [outputs, inputs / group], halves(scales))
        file.add(name + ".biases", "F16", [outputs, inputs / group], halves(offsets))
        return (0..<outputs).flatMap { output in
            (0..<inputs).map { input in
                let at = output * (inputs / group) + input / group
                return scales[at] * Float(codes[output][input]) + offsets[at]
            }
        }
    }

    private static func bitsandbytes(
        _ file: inout SafetensorsBuilder, _ name: String, _ random: inout SplitMix64, _ outputs: Int, _ inputs: Int
    ) -> [Float] {
        let codes = (0..<outputs * inputs).map { _ in Int8(truncatingIfNeeded: Int(random.next() >> 40) % 255 - 127) }
        let scales = scales(&random, outputs).map(abs)
        file.add(name + ".weight", "I8", [outputs, inputs], codes.map { UInt8(bitPattern: $0) })
        file.add(name + ".SCB", scales)
        return codes.enumerated().map { Float($1) * (scales[$0 / inputs] * 0.007874015718698502) }
    }

    /// Blocks of 64 of the flattened matrix, which cross its rows.
    private static func nf4(
        _ file: inout SafetensorsBuilder, _ name: String, _ random: inout SplitMix64, _ outputs: Int, _ inputs: Int
    ) -> [Float] {
        let count = outputs * inputs
        let codes = (0..<count).map { _ in Int(random.next() >> 40) & 15 }
        let table = (0..<16).map { Float($0 * $0) / 64 - 1 }
        let scales = scales(&random, (count + 63) / 64)
        let bytes = (0..<(count + 1) / 2).map { place in
            UInt8(codes[2 * place] << 4 | (2 * place + 1 < count ? codes[2 * place + 1] : 0))
        }
        file.add(name + ".weight", "U8", [bytes.count, 1], bytes)
        file.add(name + ".weight.absmax", scales)
        file.add(name + ".weight.quant_map", table)
        let state = Array(#"{"quant_type": "nf4", "blocksize": 64, "shape": [\#(outputs), \#(inputs)]}"#.utf8)
        file.add(name + ".weight.quant_state.bitsandbytes__nf4", "U8", [state.count], state)
        return codes.enumerated().map { scales[$0 / 64] * table[$1] }
    }

    /// E4M3 with a scale for each block of 128 × 128, the last ones cut.
    private static func float8(
        _ file: inout SafetensorsBuilder, _ name: String, _ random: inout SplitMix64, _ outputs: Int, _ inputs: Int
    ) -> [Float] {
        let codes = (0..<outputs * inputs).map { _ in UInt8(truncatingIfNeeded: random.next() >> 40) & 0x7b }
        let wide = (inputs + 127) / 128
        let scales = scales(&random, (outputs + 127) / 128 * wide)
        file.add(name + ".weight", "F8_E4M3", [outputs, inputs], codes)
        file.add(name + ".weight_scale_inv", scales, shape: [(outputs + 127) / 128, wide])
        return codes.enumerated().map { index, code in
            let (exponent, fraction) = (Int(code >> 3), Float(code & 7))
            let value =
                exponent == 0
                ? fraction / 512 : (1 + fraction / 8) * Float(sign: .plus, exponent: exponent - 7, significand: 1)
            return scales[index / inputs / 128 * wide + index % inputs / 128] * value
        }
    }

    package static let all: [CodedLayout] =
        [2, 3, 4, 8].flatMap { bits in
            [false, true].map { isPermuted in
                CodedLayout(
                    "GPTQ \(bits)\(isPermuted ? ", permuted" : "")", 96, 288,
                    #"{"quant_method": "gptq", "bits": \#(bits), "group_size": 128}"#
                ) {
                    gptq(&$0, $1, &$2, $3, $4, bits: bits, group: 128, isPermuted: isPermuted, zero: nil)
                }
            }
        } + [
            CodedLayout("GPTQ, one zero", 32, 128, #"{"quant_method": "gptq", "bits": 4, "group_size": 64}"#) {
                gptq(&$0, $1, &$2, $3, $4, bits: 4, group: 64, isPermuted: false, zero: 8)
            },
            CodedLayout("GPTQ, rows", 32, 96, #"{"quant_method": "gptq", "bits": 4, "group_size": -1}"#) {
                gptq(&$0, $1, &$2, $3, $4, bits: 4, group: 96, isPermuted: false, zero: nil)
            },
            CodedLayout("AWQ", 40, 192, #"{"quant_method": "awq", "bits": 4, "group_size": 64}"#, awq),
            CodedLayout("compressed-tensors", 21, 96, #"{"quant_method": "compressed-tensors"}"#, compressed),
            CodedLayout("MLX 4", 19, 128, #"{"group_size": 64, "bits": 4}"#) { mlx(&$0, $1, &$2, $3, $4, bits: 4) },
            CodedLayout("MLX 6", 19, 128, #"{"group_size": 64, "bits": 6}"#) { mlx(&$0, $1, &$2, $3, $4, bits: 6) },
            CodedLayout("bitsandbytes int8", 33, 70, #"{"quant_method": "bitsandbytes"}"#, bitsandbytes),
            CodedLayout("bitsandbytes nf4", 15, 71, #"{"quant_method": "bitsandbytes"}"#, isWidened: true, nf4),
            CodedLayout("fp8", 150, 200, #"{"quant_method": "fp8"}"#, isWidened: true, float8),
        ]
}
