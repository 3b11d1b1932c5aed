import ApusCheckpoints

/// GLM-4 of 2024 and GLM-Edge (GLM Team, arXiv 2406.12793): half of each head turns, neighbouring elements together. Absent
/// keys have the defaults of transformers' `GlmConfig`.
enum GLM: Architecture {
    static let modelTypes = ["glm"]
    static let names = ["GlmForCausalLM", "GlmModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 151_552, hiddenSize: 4096, width: 13_696, layers: 40, heads: 32, kvHeads: 2, headDim: 128,
            maxPositions: 131_072)
        (defaults.epsilon, defaults.turnedShare) = (1.5625e-07, 0.5)
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.rotaries[0].turnsNeighbours = true
        spec.kinds[0].attention.hasInputBias = try config.optionalBool("attention_bias") ?? true
        spec.names.fuse([.gate, .up], as: "mlp.gate_up_proj")
        return spec
    }
}

/// GLM-4-0414: norms around both branches too.
enum GLM4: Architecture {
    static let modelTypes = ["glm4"]
    static let names = ["Glm4ForCausalLM", "Glm4Model"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try GLM.decoder(config)
        (spec.kinds[0].attentionAfterNorm, spec.kinds[0].mlpAfterNorm) = (spec.finalNorm, spec.finalNorm)
        spec.names.rename([.attentionAfterNorm: "post_self_attn_layernorm", .mlpAfterNorm: "post_mlp_layernorm"])
        return spec
    }
}
