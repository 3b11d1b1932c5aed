import ApusCheckpoints
import ApusCompute

/// BLOOM and BLOOMZ (BigScience, arXiv 2211.05100): positions as slopes of scores, a norm of embeddings. Absent keys have the
/// defaults of transformers' `BloomConfig`.
enum BLOOM: Architecture {
    static let modelTypes = ["bloom"]
    static let names = ["BloomForCausalLM", "BloomModel"]
    static let aliases = ["num_hidden_layers": "n_layer", "num_attention_heads": "n_head"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 250_880, hiddenSize: 64, width: 0, layers: 2, heads: 8, maxPositions: 2048)
        (defaults.norm, defaults.epsilon, defaults.activation, defaults.isTied) = (.layer, 1e-5, .geluTanh, true)
        defaults.keys = .gpt2
        defaults.keys.hiddenSize = config["n_embed"] == nil ? "hidden_size" : "n_embed"
        (defaults.keys.width, defaults.keys.maxPositions) = ("ffn_hidden_size", "seq_length")
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.removeRotary()
        spec.changeNorms { $0.hasBias = true }
        spec.embedding.norm = spec.finalNorm
        spec.kinds[0].mlp = MLPSpec(width: 4 * spec.hiddenSize, activation: .geluTanh, isGated: false)
        spec.kinds[0].mlp.hasBias = true
        spec.kinds[0].attention.hasBias = true
        spec.kinds[0].attention.slopes = AttentionSpec.alibiSlopes(heads: spec.kinds[0].attention.heads)
        if try config.optionalBool("apply_residual_connection_post_layernorm") ?? false {
            spec.kinds[0].residual = .normedInput
        }
        spec.setFalconNames()
        spec.names[.embeddingNorm] = "word_embeddings_layernorm"
        spec.names.fuse([.query, .key, .value], as: "self_attention.query_key_value", groups: .heads)
        return spec
    }
}
