import ApusCPU
import ApusCheckpoints
import ApusCompute
import ApusModels
import ApusTestSupport
import Testing

/// Models in GGUF files.
@Suite struct GGUFModelTests {
    private static let (width, layers, heads, kvHeads, inner, vocabulary) = (64, 2, 4, 2, 96, 50)

    /// A small Llama with random weights; matrices with whole blocks in Q8_0 if `isRounded`.
    private static func file(in directory: TemporaryDirectory, isRounded: Bool) throws -> String {
        var random = SplitMix64(seed: 7)
        var builder = GGUFBuilder()
        builder.values = [
            ("general.architecture", .text("llama")), ("llama.block_count", .integer(UInt32(layers))),
            ("llama.embedding_length", .integer(UInt32(width))), ("llama.context_length", .integer(128)),
            ("llama.feed_forward_length", .integer(UInt32(inner))),
            ("llama.attention.head_count", .integer(UInt32(heads))),
            ("llama.attention.head_count_kv", .integer(UInt32(kvHeads))),
            ("llama.attention.layer_norm_rms_epsilon", .float(1e-5)), ("llama.rope.freq_base", .float(10_000)),
        ]
        func elements(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: -0.3...0.3, using: &random) } }
        func matrix(_ name: String, _ outputs: Int, _ inputs: Int) {
            let values = elements(outputs * inputs)
            guard isRounded else { return builder.add(name, [outputs, inputs], values) }
            // 2⁻⁸ is 0x1c00 as a half: values on that grid are the same in both files.
            let bytes = stride(from: 0, to: values.count, by: 32).flatMap { start in
                [0x00, 0x1c]
                    + values[start..<start + 32].map { UInt8(bitPattern: Int8(($0 * 256).rounded(.toNearestOrEven))) }
            }
            builder.tensors.append((name, [outputs, inputs], 8, bytes))
        }
        func norm(_ name: String) { builder.add(name, [width], elements(width).map { $0 + 1 }) }
        matrix("token_embd.weight", vocabulary, width)
        norm("output_norm.weight")
        for layer in 0..<layers {
            let place = "blk.\(layer)."
            norm(place + "attn_norm.weight")
            matrix(place + "attn_q.weight", width, width)
            matrix(place + "attn_k.weight", kvHeads * width / heads, width)
            matrix(place + "attn_v.weight", kvHeads * width / heads, width)
            matrix(place + "attn_output.weight", width, width)
            norm(place + "ffn_norm.weight")
            matrix(place + "ffn_gate.weight", inner, width)
            matrix(place + "ffn_up.weight", inner, width)
            matrix(place + "ffn_down.weight", width, inner)
        }
        return try directory.write(isRounded ? "rounded.gguf" : "plain.gguf", builder.bytes)
    }

    private static let tokens = (0..<40).map { $0 * 7 % vocabulary }

    @Test func codesAreNearTheFloatsThatTheyStandFor() throws {
        let directory = try TemporaryDirectory()
        let path = try Self.file(in: directory, isRounded: true)
        let device = try CPUDevice(threads: 2)
        let codes = try DecoderModel.load(directory: path, device: device)
        let floats = try DecoderModel.load(directory: path, device: device, dtype: .float32)
        #expect(codes.formats.contains { $0.grouping?.bits == 8 })
        #expect(floats.formats == [.float32])
        let (left, right) = (try codes.logProbabilities(of: Self.tokens), try floats.logProbabilities(of: Self.tokens))
        // Inputs of 8 bits are off by 1 of 254 of the largest of 64.
        let squares = zip(left, right).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        #expect((squares / Double(left.count)).squareRoot() < 0.05)
        #expect(left != right)
        // However the prompt is cut.
        #expect(try codes.logProbabilities(of: Self.tokens, tokensPerStep: 7) == left)
    }

    @Test func neighboursTurnTogether() throws {
        let directory = try TemporaryDirectory()
        let description = try ModelDescription(path: Self.file(in: directory, isRounded: false))
        #expect(description.spec.rotaries.map(\.turnsNeighbours) == [true])
        #expect(description.spec.tiedEmbeddings)
        #expect(description.dtype == .float32)
    }

    @Test func whatIsUnknownIsNamed() throws {
        let directory = try TemporaryDirectory()
        var builder = GGUFBuilder()
        builder.values = [("general.architecture", .text("marble"))]
        let path = try directory.write("m.gguf", builder.bytes)
        #expect { try ModelDescription(path: path) } throws: {
            "\($0)".contains("general.architecture: 'marble' is not known; known are bloom, command-r, gemma")
        }
        builder.values = []
        try directory.write("m.gguf", builder.bytes)
        #expect { try ModelDescription(path: path) } throws: {
            "\($0)".contains("general.architecture: expected a string")
        }
    }
}
