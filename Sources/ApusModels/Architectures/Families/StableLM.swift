import ApusCheckpoints

/// StableLM 2 and 3B (Bellagente et al., arXiv 2402.17834): centered norms, a quarter of each head turns. Absent keys have the
/// defaults of transformers' `StableLmConfig`.
enum StableLM: Architecture {
    static let modelTypes = ["stablelm"]
    static let names = ["StableLmForCausalLM", "StableLmModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 50_304, hiddenSize: 2560, width: 6912, layers: 32, heads: 32, kvHeads: 32,
            maxPositions: 4096)
        (defaults.norm, defaults.epsilon, defaults.keys.epsilon) = (.layer, 1e-5, "layer_norm_eps")
        defaults.turnedShare = 0.25
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.kinds[0].attention.hasInputBias = try config.optionalBool("use_qkv_bias") ?? false
        if try config.optionalBool("qk_layernorm") ?? false {
            spec.kinds[0].attention.headNorm = spec.finalNorm.map { HeadNormSpec($0, .headWithListedWeights) }
        }
        spec.changeNorms { $0.hasBias = true }
        if try config.optionalBool("use_parallel_residual") ?? false {
            spec.kinds[0].residual = .parallel
            spec.kinds[0].mlpNorm = nil
        }
        spec.names.rename([.queryNorm: "self_attn.q_layernorm", .keyNorm: "self_attn.k_layernorm"])
        return spec
    }
}
