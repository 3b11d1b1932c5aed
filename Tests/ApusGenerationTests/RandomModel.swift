import ApusCheckpoints
import ApusCompute
import ApusJSON
import ApusModels
import ApusTestSupport

/// A small checkpoint of a random shape with random weights.
struct RandomModel {
    let directory: TemporaryDirectory
    let spec: DecoderSpec

    init(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        func pick<Value>(_ values: [Value]) -> Value { values[random.below(values.count)] }
        let family = pick(DecoderSpec.modelTypes)
        let kvHeads = pick([1, 2, 3])
        let heads = kvHeads * (family == "codegen" ? 4 : pick([1, 2, 4]))
        let headDim = pick([4, 8, 16, 24])
        let hiddenSize = pick([24, 32, 48, 80])
        let layers = pick([1, 2, 3, 5, 8])
        // A family without windows takes the key for something else.
        let window: JSONValue = family == "llama" ? .null : pick([.null, 1, 7, 20, 40])
        let config = JSONObject([
            .init(key: "model_type", value: .string(family)),
            .init(key: "sliding_window", value: window),
            .init(key: "use_sliding_window", value: .bool(!window.isNull)),
            .init(key: "max_window_layers", value: .integer(pick([0, 1, 2]))),
            .init(key: "hidden_size", value: .integer(hiddenSize)),
            .init(key: "intermediate_size", value: .integer(pick([17, 40, 64, 96]))),
            .init(key: "num_hidden_layers", value: .integer(layers)),
            .init(key: "num_attention_heads", value: .integer(heads)),
            .init(key: "num_key_value_heads", value: .integer(kvHeads)),
            .init(key: "head_dim", value: .integer(headDim)),
            .init(key: "vocab_size", value: .integer(pick([40, 101, 160]))),
            .init(key: "max_position_embeddings", value: .integer(256)),
            .init(key: "attention_bias", value: .bool(pick([true, false]))),
            .init(key: "mlp_bias", value: .bool(pick([true, false]))),
            .init(key: "tie_word_embeddings", value: .bool(pick([true, false]))),
            .init(key: "torch_dtype", value: .string(pick(["float32", "bfloat16"]))),
            .init(
                key: "rope_scaling",
                value: pick([.null, ["rope_type": "dynamic", "factor": 2.0], ["rope_type": "linear", "factor": 4.0]])),
        ])
        // What others call the same, and sizes that only some have.
        let others: [String: JSONValue] = [
            "n_embd": .integer(hiddenSize), "d_model": .integer(hiddenSize), "n_layer": .integer(layers),
            "n_layers": .integer(layers), "n_head": .integer(heads), "n_heads": .integer(heads), "n_positions": 256,
            "max_seq_len": 256, "ffn_dim": 48, "rotary_dim": .integer(headDim),
            "partial_rotary_factor": headDim > 4 ? pick([0.5, 1]) : 1,
            "num_kv_heads": .integer(kvHeads), "word_embed_proj_dim": .integer(pick([20, hiddenSize])),
            "num_experts": 6, "num_local_experts": 6, "n_routed_experts": 6, "moe_num_experts": 6,
            "num_experts_per_tok": 2, "moe_k": 2, "moe_intermediate_size": 24, "n_group": pick([1, 2]),
            "shared_expert_intermediate_size": 20, "use_parallel_residual": .bool(pick([true, false])),
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4, "linear_key_head_dim": 8, "linear_value_head_dim": 12,
            "hidden_size_per_layer_input": pick([0, 6]), "vocab_size_per_layer_input": 160,
            "global_head_dim": .integer(headDim), "num_kv_shared_layers": .integer(layers > 2 ? pick([0, 1]) : 0),
            "enable_moe_block": .bool(pick([true, false])), "top_k_experts": 2,
            "use_qk_norm": .bool(pick([true, false])), "clip_qkv": pick([.null, 1.5]),
        ]
        let all = JSONObject(config.members + others.map { .init(key: $0.key, value: $0.value) })
        directory = try TemporaryDirectory()
        let path = try directory.write("config.json", JSONValue.object(all).serialized)
        spec = try DecoderSpec(ConfigurationFile(path: path))
        var builder = SafetensorsBuilder()
        for (name, shape) in spec.weightShapes {
            let count = shape.reduce(1, *)
            let scale: Float = shape.count == 1 ? 0.3 : 2 / Float(shape[shape.count - 1]).squareRoot()
            let isNorm = shape.count == 1 && name.hasSuffix("weight")
            builder.add(
                name, (0..<count).map { _ in Float.random(in: -scale...scale, using: &random) + (isNorm ? 1 : 0) },
                shape: shape)
        }
        _ = try directory.write("model.safetensors", builder.bytes)
    }
}
