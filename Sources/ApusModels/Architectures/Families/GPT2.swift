import ApusCheckpoints
import ApusCompute

/// GPT-2 (Radford et al., 2019), DialoGPT, Cerebras-GPT: learned positions, matrices stored with their inputs first. Absent
/// keys have the defaults of transformers' `GPT2Config`.
enum GPT2: Architecture {
    static let modelTypes = ["gpt2"]
    static let names = ["GPT2LMHeadModel", "GPT2Model"]
    static let aliases = DecoderKeys.gpt2Aliases

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(gpt2: config, layers: 12, hiddenSize: 768, heads: 12, isTied: true)
        spec.learnPositions()
        spec.kinds[0].attention.hasBias = true
        if try !(config.optionalBool("scale_attn_weights") ?? true) { spec.kinds[0].attention.scale = 1 }
        if try config.optionalBool("scale_attn_by_inverse_layer_idx") ?? false {
            spec.changeLayers { layer, kind in kind.attention.scale /= Float(layer + 1) }
        }
        spec.names.rename([
            .positions: "wpe", .mlpNorm: "ln_2", .output: "attn.c_proj", .up: "mlp.c_fc", .down: "mlp.c_proj",
        ])
        spec.names.fuse([.query, .key, .value], as: "attn.c_attn")
        spec.names.transposed = [.query, .key, .value, .output, .up, .down]
        spec.names.ignoredSuffixes += [".attn.bias", ".attn.masked_bias"]
        return spec
    }
}

extension DecoderSpec {
    /// What GPT-2 and GPT-J have in common: keys, names, norms with biases, a plain MLP of four times the hidden size.
    init(
        gpt2 config: ConfigurationFile, layers: Int, hiddenSize: Int, heads: Int, isTied: Bool,
        vocabulary: Int = 50_257,
        positions: Int = 1024
    ) throws(CheckpointError) {
        var defaults = DecoderDefaults(
            vocabularySize: vocabulary, hiddenSize: hiddenSize, width: 0, layers: layers, heads: heads,
            maxPositions: positions)
        (defaults.norm, defaults.epsilon, defaults.activation) = (.layer, 1e-5, .geluTanh)
        (defaults.isTied, defaults.keys) = (isTied, .gpt2)
        try self.init(config, defaults: defaults)
        changeNorms { $0.hasBias = true }
        if kinds[0].mlp.width == 0 { kinds[0].mlp.width = 4 * self.hiddenSize }
        kinds[0].mlp.isGated = false
        kinds[0].mlp.hasBias = true
        names.bodies = ["transformer", ""]
        names.layers = "h"
        names.rename([.embedding: "wte", .finalNorm: "ln_f", .attentionNorm: "ln_1"])
    }
}
