import ApusCheckpoints
import ApusJSON

/// EXAONE 3 and 3.5 (LG AI Research, arXiv 2408.03541): Llama under other names. Absent keys have the defaults of transformers'
/// `ExaoneConfig`.
enum EXAONE: Architecture {
    static let modelTypes = ["exaone"]
    static let names = ["ExaoneForCausalLM", "ExaoneModel"]
    static let aliases = [
        "num_layers": "num_hidden_layers", "layer_norm_epsilon": "rms_norm_eps", "activation_function": "hidden_act",
    ]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 102_400, hiddenSize: 4096, width: 14_336, layers: 32, heads: 32, kvHeads: 8,
            maxPositions: 4096)
        (defaults.epsilon, defaults.theta) = (1e-5, 500_000)
        // What it was published with, and what transformers writes.
        if config["num_layers"] != nil { defaults.keys.layers = "num_layers" }
        if config["layer_norm_epsilon"] != nil { defaults.keys.epsilon = "layer_norm_epsilon" }
        if config["activation_function"] != nil { defaults.keys.activation = "activation_function" }
        var spec = try DecoderSpec(config, defaults: defaults)
        try spec.setBiases(config)
        spec.names.bodies = ["transformer", ""]
        spec.names.layers = "h"
        spec.names.rename([
            .embedding: "wte", .finalNorm: "ln_f", .attentionNorm: "ln_1", .mlpNorm: "ln_2",
            .query: "attn.attention.q_proj", .key: "attn.attention.k_proj", .value: "attn.attention.v_proj",
            .output: "attn.attention.out_proj", .gate: "mlp.c_fc_0", .up: "mlp.c_fc_1", .down: "mlp.c_proj",
        ])
        return spec
    }
}

/// EXAONE 4 (LG AI Research, arXiv 2507.11407): norms of results, and of heads; where there is a window, only layers with it
/// turn. Absent keys have the defaults of transformers' `Exaone4Config`.
enum EXAONE4: Architecture {
    static let modelTypes = ["exaone4"]
    static let names = ["Exaone4ForCausalLM", "Exaone4Model"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 102_400, hiddenSize: 4096, width: 16_384, layers: 32, heads: 32, kvHeads: 32,
            maxPositions: 2048)
        defaults.epsilon = 1e-5
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.kinds[0].attention.headNorm = spec.finalNorm.map { HeadNormSpec($0) }
        spec.kinds[0].normResults()
        guard let window = try config.window(default: 4096) else { return spec }
        let slides = try config.slidingLayers(count: spec.layers)
        // A number, or as many letters as layers repeat, the last for the one without.
        let letters = config["sliding_window_pattern"]?.string?.utf8.count
        let number = letters == nil ? try config.optionalPositive("sliding_window_pattern") : nil
        let pattern = letters ?? number ?? 4
        spec.changeLayers { layer, kind in
            if slides?[layer] ?? ((layer + 1) % max(pattern, 1) != 0) {
                kind.attention.window = window
            } else {
                kind.attention.rotary = nil
            }
        }
        return spec
    }
}
