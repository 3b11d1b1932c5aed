import ApusCheckpoints
import ApusCompute

/// ERNIE 4.5, dense (Baidu, ERNIE 4.5 Technical Report): Llama, but neighbouring elements turn. Absent keys have the defaults of
/// transformers' `Ernie4_5Config`.
enum ERNIE45: Architecture {
    static let modelTypes = ["ernie4_5"]
    static let names = ["Ernie4_5ForCausalLM", "Ernie4_5_ForCausalLM", "Ernie4_5Model", "Ernie4_5_Model"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 103_424, hiddenSize: 1024, width: 3072, layers: 18, heads: 16, kvHeads: 2, headDim: 128,
            maxPositions: 131_072)
        (defaults.epsilon, defaults.theta, defaults.isTied) = (1e-5, 500_000, true)
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.rotaries[0].turnsNeighbours = true
        let hasBias = try config.optionalBool("use_bias") ?? false
        spec.kinds[0].attention.hasBias = hasBias
        spec.kinds[0].mlp.hasBias = hasBias
        return spec
    }
}

/// ERNIE 4.5 with experts: softmax scores, biased choices, shared experts. Absent keys have the defaults of transformers'
/// `Ernie4_5_MoeConfig`.
enum ERNIE45MoE: Architecture {
    static let modelTypes = ["ernie4_5_moe"]
    static let names = ["Ernie4_5_MoeForCausalLM", "Ernie4_5_MoeModel"]
    static let aliases = ["num_experts": "moe_num_experts", "num_experts_per_tok": "moe_k"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 103_424, hiddenSize: 2560, width: 12_288, layers: 28, heads: 20, kvHeads: 4,
            maxPositions: 131_072)
        (defaults.epsilon, defaults.theta, defaults.isTied) = (1e-5, 500_000, true)
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.rotaries[0].turnsNeighbours = true
        let hasBias = try config.optionalBool("use_bias") ?? false
        spec.kinds[0].attention.hasBias = hasBias
        spec.kinds[0].mlp.hasBias = hasBias
        var experts = try config.experts(
            count: "moe_num_experts", 64, chosen: 6, width: 1536, score: .softmax, chosenKey: "moe_k")
        experts.rule.normalizes = true
        (experts.hasChoiceBias, experts.choiceBiasIsRow) = (true, true)
        if let width = try config.sharedWidth("moe_num_shared_experts", default: 2, of: experts) {
            experts.shared = .init(width: width)
            experts.shared?.hasBias = hasBias
        }
        spec.headHasBias = hasBias
        let first = try config.optionalInt("moe_layer_start_index") ?? 1
        let last = try config.optionalInt("moe_layer_end_index") ?? -1
        let interval = try config.optionalPositive("moe_layer_interval") ?? 1
        let end = last < 0 ? spec.layers - 1 : last
        spec.changeLayers { layer, kind in
            if (layer + 1) % interval == 0, layer >= first, layer <= end { kind.mlp.experts = experts }
        }
        spec.names[.choiceBias] = "mlp.moe_statics"
        return spec
    }
}
