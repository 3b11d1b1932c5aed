import ApusCheckpoints
import ApusCompute

/// Falcon 7B, 40B, 180B, 11B and RW (Almazrouei et al., arXiv 2311.16867): three ways to store queries, keys and values as one
/// matrix. Absent keys have the defaults of transformers' `FalconConfig`.
enum Falcon: Architecture {
    static let modelTypes = ["falcon", "refinedweb", "refinedwebmodel"]
    static let names = ["FalconForCausalLM", "FalconModel", "RWForCausalLM", "RWModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 65_024, hiddenSize: 4544, width: 0, layers: 32, heads: 71, maxPositions: 2048)
        (defaults.norm, defaults.epsilon, defaults.keys.epsilon) = (.layer, 1e-5, "layer_norm_epsilon")
        (defaults.activation, defaults.isTied) = (.gelu, true)
        (defaults.keys.width, defaults.keys.activation) = ("ffn_hidden_size", "activation")
        let isNew = try config.optionalBool("new_decoder_architecture") ?? false
        defaults.keys.kvHeads = isNew ? "num_kv_heads" : "n_head_kv"
        if config["n_layer"] != nil { (defaults.keys.layers, defaults.keys.heads) = ("n_layer", "n_head") }
        var spec = try DecoderSpec(config, defaults: defaults)
        if spec.kinds[0].mlp.width == 0 { spec.kinds[0].mlp.width = 4 * spec.hiddenSize }
        spec.kinds[0].mlp.isGated = false
        let hasBias = try config.optionalBool("bias") ?? false
        spec.kinds[0].mlp.hasBias = hasBias
        spec.kinds[0].attention.hasBias = hasBias
        spec.changeNorms { $0.hasBias = true }
        spec.setFalconNames()

        // The older architecture has one key-value head or as many as heads, whatever it says.
        let isMultiQuery = try config.optionalBool("multi_query") ?? !config.isNull("multi_query")
        let heads = spec.kinds[0].attention.heads
        if !isNew { spec.kinds[0].attention.kvHeads = isMultiQuery ? 1 : heads }
        spec.names.fuse(
            [.query, .key, .value], as: "self_attention.query_key_value",
            groups: isNew ? .kvHeads : isMultiQuery ? .count(1) : .heads)
        let inParallel = try config.optionalBool("parallel_attn") ?? !config.isNull("parallel_attn")
        if isNew || inParallel { spec.kinds[0].residual = .parallel }
        let normCount = try config.optionalInt("num_ln_in_parallel_attn") ?? 2
        if isNew, normCount == 2 {
            spec.names.rename([.attentionNorm: "ln_attn", .mlpNorm: "ln_mlp"])
        } else if isNew || inParallel {
            spec.kinds[0].mlpNorm = nil
        }
        if try config.optionalBool("alibi") ?? false {
            spec.removeRotary()
            // The sum of score and bias is divided, with slopes of bfloat16.
            let scale = spec.kinds[0].attention.scale
            spec.kinds[0].attention.slopes = AttentionSpec.alibiSlopes(heads: heads).map {
                DType.bfloat16.rounded($0) * scale
            }
        }
        return spec
    }
}

extension DecoderSpec {
    /// The names of BLOOM, too.
    mutating func setFalconNames() {
        names.bodies = ["transformer", ""]
        names.layers = "h"
        names.rename([
            .embedding: "word_embeddings", .finalNorm: "ln_f", .output: "self_attention.dense",
            .up: "mlp.dense_h_to_4h", .down: "mlp.dense_4h_to_h",
        ])
    }
}
