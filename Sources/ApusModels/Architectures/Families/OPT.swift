import ApusCheckpoints
import ApusCompute

/// OPT and Galactica (Zhang et al., arXiv 2205.01068): learned positions, plain MLPs. Absent keys have the defaults of
/// transformers' `OPTConfig`.
enum OPT: Architecture {
    static let modelTypes = ["opt"]
    static let names = ["OPTForCausalLM", "OPTModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 50_272, hiddenSize: 768, width: 3072, layers: 12, heads: 12, maxPositions: 2048)
        (defaults.norm, defaults.epsilon, defaults.activation, defaults.isTied) = (.layer, 1e-5, .relu, true)
        (defaults.keys.width, defaults.keys.activation) = ("ffn_dim", "activation_function")
        var spec = try DecoderSpec(config, defaults: defaults)
        // Its table has two rows before that of the first position.
        spec.learnPositions(offset: 2)
        let hasBias = try config.optionalBool("enable_bias") ?? true
        let isAffine = try config.optionalBool("layer_norm_elementwise_affine") ?? true
        spec.changeNorms { ($0.hasWeight, $0.hasBias) = (isAffine, isAffine) }
        spec.kinds[0].attention.hasBias = hasBias
        spec.kinds[0].mlp.isGated = false
        spec.kinds[0].mlp.hasBias = hasBias
        let normsInputs = try config.optionalBool("do_layer_norm_before") ?? true
        if !normsInputs { spec.kinds[0].residual = .normedSum }
        let isLastNormGone = try config.optionalBool("_remove_final_layer_norm") ?? false
        if !normsInputs || isLastNormGone { spec.finalNorm = nil }
        spec.embedding.width = try config.optionalPositive("word_embed_proj_dim") ?? spec.hiddenSize
        spec.names.bodies = ["model.decoder", "decoder", ""]
        spec.names.rename([
            .attentionNorm: "self_attn_layer_norm", .output: "self_attn.out_proj", .mlpNorm: "final_layer_norm",
            .up: "fc1", .down: "fc2", .finalNorm: "final_layer_norm",
        ])
        return spec
    }
}
