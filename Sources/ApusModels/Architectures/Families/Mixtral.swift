import ApusCheckpoints
import ApusCompute

/// Mixtral (Jiang et al., arXiv 2401.04088): two experts of eight. Absent keys have the defaults of transformers'
/// `MixtralConfig`.
enum Mixtral: Architecture {
    static let modelTypes = ["mixtral"]
    static let names = ["MixtralForCausalLM", "MixtralModel"]
    static let aliases = ["num_experts": "num_local_experts"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 32_000, hiddenSize: 4096, width: 14_336, layers: 32, heads: 32, kvHeads: 8,
            maxPositions: 131_072)
        (defaults.epsilon, defaults.theta) = (1e-5, 1_000_000)
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.kinds[0].attention.window = try config.window(default: nil)
        var experts = try config.experts(
            count: "num_local_experts", 8, chosen: 2, width: 14_336, score: .softmax, widthKey: "intermediate_size")
        experts.rule.normalizes = true
        spec.kinds[0].mlp.experts = experts
        spec.names.rename([
            .router: "block_sparse_moe.gate", .expertGate: "block_sparse_moe.experts.#.w1",
            .expertUp: "block_sparse_moe.experts.#.w3", .expertDown: "block_sparse_moe.experts.#.w2",
        ])
        return spec
    }
}
