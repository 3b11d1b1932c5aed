import ApusCPU
import ApusCompute
import ApusJSON
import ApusModels
import ApusTestSupport
import Foundation

/// The sound directories: the committed checkpoints and tokenizers.
enum FuzzSources {
    private static let fixtures = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures")

    static func all() throws -> [FuzzSource] {
        let device = try CPUDevice(threads: 1)
        let checkpoints = try folders("Models").map { folder in
            FuzzSource(
                name: folder.lastPathComponent,
                files: try files(of: folder) { $0.hasPrefix("model") || $0.hasSuffix("config.json") },
                subject: CheckpointSubject(device: device))
        }
        let quantized = try quantized(device)
        let tokenizers = try folders("Tokenizers").map { folder in
            FuzzSource(
                name: folder.lastPathComponent, files: try files(of: folder) { $0 != "expected.json" },
                subject: TokenizerSubject())
        }
        return checkpoints + quantized + coded(device) + gguf(device) + tokenizers + (try components(tokenizers))
    }

    /// Checkpoints of integers, in one file and in several.
    private static func quantized(_ device: CPUDevice) throws -> [FuzzSource] {
        let place = FileManager.default.temporaryDirectory.appendingPathComponent("apus-fuzz-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        return try [("gqa-tied", CheckpointFormat.int8, Int.max), ("mha", .int4, Int.max), ("bf16", .int4, 5000)].map {
            name, quantization, shardSize in
            let folder = place.appendingPathComponent("\(name)-\(quantization)")
            _ = try CheckpointQuantizer(
                directory: fixtures.appendingPathComponent("Models/" + name).path, as: quantization, by: device
            ).write(to: folder.path, maximumShardByteCount: shardSize)
            return FuzzSource(
                name: folder.lastPathComponent,
                files: try files(of: folder) { $0.hasPrefix("model") || $0.hasSuffix("config.json") },
                subject: CheckpointSubject(device: device))
        }
    }

    /// Small models whose matrices are codes in the layouts of other tools.
    private static func coded(_ device: CPUDevice) -> [FuzzSource] {
        let (width, inner, vocabulary) = (64, 128, 48)
        return CodedLayout.all.map { layout in
            var (file, random) = (SafetensorsBuilder(), SplitMix64(seed: 3))
            func elements(_ count: Int) -> [Float] {
                (0..<count).map { _ in Float.random(in: -0.2...0.2, using: &random) }
            }
            file.add("model.embed_tokens.weight", elements(vocabulary * width), shape: [vocabulary, width])
            file.add("model.norm.weight", elements(width))
            let place = "model.layers.0."
            for norm in ["input_layernorm", "post_attention_layernorm"] {
                file.add("\(place)\(norm).weight", elements(width))
            }
            for (name, outputs, inputs) in [
                ("self_attn.q_proj", width, width), ("self_attn.k_proj", width, width),
                ("self_attn.v_proj", width, width),
                ("self_attn.o_proj", width, width), ("mlp.gate_proj", inner, width), ("mlp.up_proj", inner, width),
                ("mlp.down_proj", width, inner),
            ] {
                _ = layout.add(place + name, to: &file, &random, outputs: outputs, inputs: inputs)
            }
            let config = """
                {"model_type": "llama", "hidden_size": \(width), "intermediate_size": \(inner), "num_hidden_layers": 1,
                 "num_attention_heads": 4, "vocab_size": \(vocabulary), "tie_word_embeddings": true, "dtype": "float32",
                 "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "quantization_config": \(layout.config)}
                """
            return FuzzSource(
                name: layout.name, files: [("config.json", Array(config.utf8)), ("model.safetensors", file.bytes)],
                subject: CheckpointSubject(device: device))
        }
    }

    private static func gguf(_ device: CPUDevice) -> [FuzzSource] {
        [false, true].map { isRounded in
            FuzzSource(
                name: isRounded ? "gguf-q8_0" : "gguf-f32",
                files: [("model.gguf", GGUFBuilder.smallLlama(isRounded: isRounded).bytes)],
                subject: GGUFSubject(model: CheckpointSubject(device: device)))
        }
    }

    private static func folders(_ name: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: fixtures.appendingPathComponent(name), includingPropertiesForKeys: [.isDirectoryKey]
        ).filter { try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true }
            .sorted { $0.path < $1.path }
    }

    private static func files(of folder: URL, _ isWanted: (String) -> Bool) throws -> [(String, [UInt8])] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter(isWanted).sorted().map {
            ($0, Array(try Data(contentsOf: folder.appendingPathComponent($0))))
        }
    }

    /// The pipelines with the components that `components.json` puts together at random.
    private static func components(_ bases: [FuzzSource]) throws -> [FuzzSource] {
        let data = try Data(contentsOf: fixtures.appendingPathComponent("Tokenizers/components.json"))
        let entries = try data.withUnsafeBytes { try JSONValue(parsing: $0) }.array ?? []
        return try entries.enumerated().compactMap { index, entry in
            guard let base = bases.first(where: { $0.name == entry["base"]?.string }),
                let file = base.files.first(where: { $0.name == "tokenizer.json" }),
                let sound = try file.bytes.withUnsafeBytes({ try JSONValue(parsing: $0) }).object
            else { return nil }
            let tokenizer = replacing(sound, entry["parts"]?.object)
            let model = JSONValue.object(replacing(tokenizer["model"]?.object ?? JSONObject(), entry["model"]?.object))
            let whole = JSONValue.object(replacing(tokenizer, JSONObject([.init(key: "model", value: model)])))
            return FuzzSource(
                name: "component \(index)", isPutTogether: true,
                files: [("tokenizer.json", Array(whole.serialized.utf8))],
                subject: TokenizerSubject())
        }
    }

    private static func replacing(_ object: JSONObject, _ other: JSONObject?) -> JSONObject {
        var members = object.members.filter { other?[$0.key] == nil }
        members += other?.members ?? []
        return JSONObject(members)
    }
}
