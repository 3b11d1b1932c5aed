import ApusCheckpoints
import ApusCompute

/// GPT-NeoX, Pythia, Dolly (Black et al., arXiv 2204.06745; Biderman et al., arXiv 2304.01373): attention and MLP beside each
/// other, one matrix for each head's query, key and value. Absent keys have the defaults of transformers' `GPTNeoXConfig`.
enum GPTNeoX: Architecture {
    static let modelTypes = ["gpt_neox"]
    static let names = ["GPTNeoXForCausalLM", "GPTNeoXModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 50_432, hiddenSize: 6144, width: 24_576, layers: 44, heads: 64, maxPositions: 2048)
        (defaults.norm, defaults.epsilon, defaults.keys.epsilon) = (.layer, 1e-5, "layer_norm_eps")
        defaults.activation = .gelu
        defaults.theta = try config.optionalDouble("rotary_emb_base") ?? 10_000
        defaults.turnedShare = try config.optionalDouble("rotary_pct") ?? 0.25
        var spec = try DecoderSpec(config.without(["rope_theta", "num_key_value_heads"]), defaults: defaults)
        spec.changeNorms { $0.hasBias = true }
        if try config.optionalBool("use_parallel_residual") ?? true { spec.kinds[0].residual = .parallel }
        spec.kinds[0].attention.hasBias = try config.optionalBool("attention_bias") ?? true
        spec.kinds[0].mlp.isGated = false
        spec.kinds[0].mlp.hasBias = true
        spec.names.bodies = ["gpt_neox", ""]
        spec.names.heads = ["embed_out", "lm_head"]
        spec.names.rename([
            .embedding: "embed_in", .finalNorm: "final_layer_norm", .output: "attention.dense",
            .up: "mlp.dense_h_to_4h", .down: "mlp.dense_4h_to_h",
        ])
        spec.names.fuse([.query, .key, .value], as: "attention.query_key_value", groups: .heads)
        spec.names.ignoredSuffixes += [".attention.bias", ".attention.masked_bias"]
        return spec
    }
}
