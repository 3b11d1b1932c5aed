import ApusCheckpoints
import ApusCompute
import ApusJSON

/// gpt-oss (OpenAI, arXiv 2508.10925): sinks in attention, a window in every other layer, experts with biases whose gates and
/// others take turns, stored with their inputs first. Absent keys have the defaults of transformers' `GptOssConfig`.
enum GPTOSS: Architecture {
    static let modelTypes = ["gpt_oss"]
    static let names = ["GptOssForCausalLM", "GptOssModel"]
    static let aliases = ["num_experts": "num_local_experts"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 201_088, hiddenSize: 2880, width: 2880, layers: 36, heads: 64, kvHeads: 8, headDim: 64,
            maxPositions: 131_072)
        (defaults.epsilon, defaults.theta) = (1e-5, 150_000)
        let config = config.assuming(rotary, unless: ["rope_parameters", "rope_scaling"])
        var spec = try DecoderSpec(config, defaults: defaults)
        for (key, only) in [("swiglu_limit", 7.0), ("swiglu_alpha", 1.702)] {
            if let value = try config.optionalDouble(key), value != only {
                throw config.fault(key, expected: "\(only)", got: String(value))
            }
        }
        spec.kinds[0].attention.hasBias = try config.optionalBool("attention_bias") ?? true
        spec.kinds[0].attention.hasSinks = true
        spec.kinds[0].mlp.activation = .clampedSwiGLU
        var experts = try config.experts(
            count: "num_local_experts", 128, chosen: 4, width: 2880, score: .softmaxOfChosen,
            widthKey: "intermediate_size")
        (experts.routerHasBias, experts.hasBias) = (true, true)
        spec.kinds[0].mlp.experts = experts
        let slides = try config.slidingLayers(count: spec.layers)
        spec.setWindow(try config.window(default: 128)) { slides?[$0] ?? (($0 + 1) % 2 != 0) }
        spec.names.rename([.router: "mlp.router", .expertDown: "mlp.experts.down_proj"])
        spec.names.fuse([.expertGate, .expertUp], as: "mlp.experts.gate_up_proj", groups: .outputs)
        for role in [WeightRole.expertGate, .expertUp, .expertDown] {
            spec.names.stacked.insert(role)
            spec.names.bare.insert(role)
            spec.names.transposed.insert(role)
        }
        return spec
    }

    private static let rotary: JSONObject = [
        "rope_parameters": [
            "rope_type": "yarn", "factor": 32, "beta_fast": 32, "beta_slow": 1, "truncate": false,
            "original_max_position_embeddings": 4096, "rope_theta": 150_000,
        ]
    ]
}
