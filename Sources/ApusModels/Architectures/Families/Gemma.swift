import ApusCheckpoints
import ApusCompute

/// Gemma 1 (Gemma Team, arXiv 2403.08295): weights of norms are what is beyond 1, embeddings are scaled. Absent keys have the
/// defaults of transformers' `GemmaConfig`.
enum Gemma: Architecture {
    static let modelTypes = ["gemma"]
    static let names = ["GemmaForCausalLM", "GemmaModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 256_000, hiddenSize: 3072, width: 24_576, layers: 28, heads: 16, kvHeads: 16, headDim: 256,
            maxPositions: 8192)
        defaults.isTied = true
        var spec = try DecoderSpec(gemma: config, defaults)
        // The first checkpoints name the exact function, but were trained with the other.
        if spec.kinds[0].mlp.activation == .gelu { spec.kinds[0].mlp.activation = .geluTanh }
        return spec
    }
}

extension DecoderSpec {
    /// What all of Gemma has in common.
    init(gemma config: ConfigurationFile, _ defaults: DecoderDefaults) throws(CheckpointError) {
        var defaults = defaults
        defaults.activation = .geluTanh
        if config["hidden_activation"] != nil { defaults.keys.activation = "hidden_activation" }
        try self.init(config, defaults: defaults)
        guard try !(config.optionalBool("use_bidirectional_attention") ?? false) else {
            throw config.fault(
                "use_bidirectional_attention", expected: "false: a model that continues texts", got: "true")
        }
        kinds[0].attention.hasBias = try config.optionalBool("attention_bias") ?? false
        embedding.scale = Float(hiddenSize).squareRoot()
        embedding.roundsScale = true
        changeNorms { $0.weightOffset = 1 }
    }

    /// Norms before and after both branches, as Gemma has them since 2.
    mutating func setSandwich(_ config: ConfigurationFile) throws(CheckpointError) {
        let scalar = try config.optionalDouble("query_pre_attn_scalar") ?? 256
        guard scalar > 0 else {
            throw config.fault("query_pre_attn_scalar", expected: "a positive number", got: String(scalar))
        }
        kinds[0].attention.scale = Float(1 / scalar.squareRoot())
        (kinds[0].attentionAfterNorm, kinds[0].mlpAfterNorm) = (finalNorm, finalNorm)
        names[.mlpNorm] = "pre_feedforward_layernorm"
    }
}
