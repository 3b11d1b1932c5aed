import ApusCheckpoints
import ApusJSON

/// Mistral 7B, Nemo, Small (Jiang et al., arXiv 2310.06825): each token sees the last keys only. Absent keys have the
/// defaults of transformers' `MistralConfig`.
enum Mistral: Architecture {
    static let modelTypes = ["mistral"]
    static let names = ["MistralForCausalLM", "MistralModel"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(
            config,
            defaults: .init(
                vocabularySize: 32_000, hiddenSize: 4096, width: 14_336, layers: 32, heads: 32, kvHeads: 8,
                maxPositions: 131_072))
        spec.kinds[0].attention.window = try config.window(default: 4096)
        return spec
    }
}

/// Ministral: layers with a window and without. Absent keys have the defaults of transformers' `MinistralConfig`.
enum Ministral: Architecture {
    static let modelTypes = ["ministral"]
    static let names = ["MinistralForCausalLM", "MinistralModel"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try Mistral.decoder(config)
        if let slides = try config.slidingLayers(count: spec.layers) {
            spec.changeLayers { layer, kind in
                if !slides[layer] { kind.attention.window = nil }
            }
        }
        return spec
    }
}

/// Ministral 3 (huggingface.co/mistralai): frequencies of yarn, and queries that grow with their position. Absent keys have
/// the defaults of transformers' `Ministral3Config`.
enum Ministral3: Architecture {
    static let modelTypes = ["ministral3"]
    static let names = ["Ministral3ForCausalLM", "Ministral3Model"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 131_072, hiddenSize: 4096, width: 14_336, layers: 34, heads: 32, kvHeads: 8, headDim: 128,
            maxPositions: 262_144)
        (defaults.epsilon, defaults.theta) = (1e-5, 1_000_000)
        let config = config.assuming(rotary, unless: ["rope_parameters", "rope_scaling"])
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.kinds[0].attention.window = try config.window(default: nil)
        let old = try config.optionalObject("rope_scaling")
        let new = try config.optionalObject("rope_parameters")
        if let parameters = old ?? new, let beta = try parameters.optionalDouble("llama_4_scaling_beta") {
            let length = try parameters.positive("original_max_position_embeddings", atMost: 1 << 40)
            spec.queryScaling = QueryScaling(beta: beta, length: length)
        }
        return spec
    }

    private static let rotary: JSONObject = [
        "rope_parameters": [
            "rope_type": "yarn", "factor": 16, "beta_fast": 32, "beta_slow": 1, "mscale": 1, "mscale_all_dim": 1,
            "original_max_position_embeddings": 16_384, "rope_theta": 1_000_000, "llama_4_scaling_beta": 0.1,
        ]
    ]
}
