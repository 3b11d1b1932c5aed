import ApusCPU
import ApusCheckpoints
import ApusCompute
import ApusGeneration
import ApusJSON
import ApusModels
import ApusTestSupport
import Foundation
import Testing

/// Layers with a window keep a window of blocks, and nothing else changes.
@Suite struct WindowCacheTests {
    /// Tokens of the longest prompt.
    private static let context = ProcessInfo.processInfo.environment["APUS_WINDOW_CONTEXT"].flatMap { Int($0) } ?? 1500

    /// The shape of gemma-3-4b, its widths divided.
    private static func config(dividedBy divisor: Int, window: Int = 1024) -> JSONObject {
        [
            "model_type": "gemma3_text", "vocab_size": .integer(262_208 / divisor),
            "hidden_size": .integer(2560 / divisor), "intermediate_size": .integer(10_240 / divisor),
            "num_hidden_layers": 34, "num_attention_heads": 8, "num_key_value_heads": 4,
            "head_dim": .integer(256 / divisor), "query_pre_attn_scalar": 256, "sliding_window": .integer(window),
            "max_position_embeddings": 131_072, "rope_theta": 1_000_000, "torch_dtype": "bfloat16",
            "rope_scaling": ["rope_type": "linear", "factor": 8],
        ]
    }

    private static func spec(_ config: JSONObject) throws -> DecoderSpec {
        try DecoderSpec(ConfigurationFile(file: "config.json", object: config))
    }

    @Test func memoryIsThatOfWindows() throws {
        let spec = try Self.spec(Self.config(dividedBy: 1))
        var limits = StepLimits(tokens: 512, outputs: 1, sequences: 1, blocksPerSequence: 2000, blocks: 2000)
        let bytesPerBlock = Int128(16 * 2 * 4 * 256 * 2)
        #expect(spec.memoryByteCount(limits, .bfloat16) == 34 * 2000 * bytesPerBlock)
        limits.windows = spec.windows(within: limits.context)
        // Five layers keep everything; the others what a token sees, and the tokens of a step.
        let expected = (5 * 2000 + 29 * (65 + 32)) * bytesPerBlock
        let bytes = spec.memoryByteCount(limits, .bfloat16)
        #expect(bytes >= expected && Double(bytes) < 1.05 * Double(expected))
        limits.windows = spec.windows(within: 1024)
        #expect(limits.windows.isEmpty)
    }

    /// With APUS_WINDOW_CONTEXT=32000, as long as such models are used for.
    @Test func tokensAreThoseWithAllBlocksKept() async throws {
        let directory = try TemporaryDirectory()
        let config = Self.config(dividedBy: 8, window: Self.context > 4096 ? 1024 : 100)
        _ = try directory.write("config.json", JSONValue.object(config).serialized)
        let spec = try Self.spec(config)
        var random = SplitMix64(seed: 5)
        var builder = SafetensorsBuilder()
        for (name, shape) in spec.weightShapes {
            let scale: Float = shape.count == 1 ? 0.3 : 2 / Float(shape[shape.count - 1]).squareRoot()
            builder.add(
                name, (0..<shape.reduce(1, *)).map { _ in Float.random(in: -scale...scale, using: &random) },
                shape: shape)
        }
        _ = try directory.write("model.safetensors", builder.bytes)
        let device = try CPUDevice(threads: 2)
        let model = try DecoderModel.load(directory: directory.path, device: device)
        let newTokens = 40
        let requests = try (0..<2).map { index in
            // The second begins as the first does.
            let length = (Self.context - newTokens) / (index + 1)
            let prompt = (0..<length).map { $0 * 7919 % spec.vocabularySize } + [index]
            let config = GenerationConfig(maxNewTokens: newTokens, eosTokenIDs: [], logprobs: true)
            return GenerationRequest(
                promptTokens: prompt, config: try config.resolved(promptLength: prompt.count), promptIndex: index)
        }
        var outputs: [[GenerationOutput]] = []
        var bytes: [Int] = []
        for forgets in [false, true] {
            let before = device.memory.current
            let engine = try Engine(
                model,
                limits: .init(
                    sequences: 2, tokensPerStep: 512, blocks: 2 * (Self.context / 16 + 1), forgetsPastWindows: forgets))
            bytes.append(device.memory.current - before)
            let both = try await engine.generate(requests)
            let alone = try await engine.generate([requests[1]])
            // The last window of a sequence that has ended still stands: whoever goes on behind it finds it.
            let shared = await engine.sharedTokenCount
            var next = requests[1]
            next.promptTokens += alone[0].tokenIDs
            let further = try await engine.generate([next])
            #expect(await engine.sharedTokenCount - shared > next.promptTokens.count - 33)
            outputs.append(both + alone + further)
        }
        #expect(outputs[0] == outputs[1])
        #expect(bytes[1] < bytes[0])
        print("\(Self.context) tokens: \(bytes[0]) bytes of blocks and buffers with all kept, \(bytes[1]) with windows")
    }
}
