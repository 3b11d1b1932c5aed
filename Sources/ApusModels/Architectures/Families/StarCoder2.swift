import ApusCheckpoints
import ApusCompute

/// StarCoder 2 (Lozhkov et al., arXiv 2402.19173): centered norms, plain MLPs, biases everywhere. Absent keys have the defaults
/// of transformers' `Starcoder2Config`.
enum StarCoder2: Architecture {
    static let modelTypes = ["starcoder2"]
    static let names = ["Starcoder2ForCausalLM", "Starcoder2Model"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 49_152, hiddenSize: 3072, width: 12_288, layers: 30, heads: 24, kvHeads: 2,
            maxPositions: 4096)
        (defaults.norm, defaults.epsilon, defaults.keys.epsilon) = (.layer, 1e-5, "norm_epsilon")
        (defaults.activation, defaults.isTied) = (.geluTanh, true)
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.changeNorms { $0.hasBias = true }
        let hasBias = try config.optionalBool("use_bias") ?? true
        spec.kinds[0].attention.hasBias = hasBias
        spec.kinds[0].attention.window = try config.window(default: nil)
        spec.kinds[0].mlp.isGated = false
        spec.kinds[0].mlp.hasBias = hasBias
        spec.names.rename([.up: "mlp.c_fc", .down: "mlp.c_proj"])
        return spec
    }
}
