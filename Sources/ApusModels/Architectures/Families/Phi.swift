import ApusCheckpoints
import ApusCompute

/// Phi-1, 1.5 and 2 (Gunasekar et al., arXiv 2306.11644): one norm, attention and MLP beside each other, biases everywhere.
/// Absent keys have the defaults of transformers' `PhiConfig`.
enum Phi: Architecture {
    static let modelTypes = ["phi"]
    static let names = ["PhiForCausalLM", "PhiModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 51_200, hiddenSize: 2048, width: 8192, layers: 24, heads: 32, maxPositions: 2048)
        (defaults.norm, defaults.epsilon, defaults.keys.epsilon) = (.layer, 1e-5, "layer_norm_eps")
        (defaults.activation, defaults.turnedShare) = (.geluTanh, 0.5)
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.changeNorms { $0.hasBias = true }
        spec.kinds[0].residual = .parallel
        spec.kinds[0].mlpNorm = nil
        spec.kinds[0].attention.hasBias = true
        spec.kinds[0].mlp.isGated = false
        spec.kinds[0].mlp.hasBias = true
        if try config.optionalBool("qk_layernorm") ?? false {
            spec.kinds[0].attention.headNorm = spec.finalNorm.map { HeadNormSpec($0) }
        }
        spec.headHasBias = true
        spec.names.rename([
            .output: "self_attn.dense", .up: "mlp.fc1", .down: "mlp.fc2", .finalNorm: "final_layernorm",
            .queryNorm: "self_attn.q_layernorm", .keyNorm: "self_attn.k_layernorm",
        ])
        return spec
    }
}
