import ApusCheckpoints
import ApusCompute

/// Qwen 1.5 and 2 with experts (Yang et al., arXiv 2407.10671): one shared expert with a score of its own. Absent keys have the
/// defaults of transformers' `Qwen2MoeConfig`.
enum Qwen2MoE: Architecture {
    static let modelTypes = ["qwen2_moe"]
    static let names = ["Qwen2MoeForCausalLM", "Qwen2MoeModel"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults.qwen
        (defaults.hiddenSize, defaults.width, defaults.layers) = (2048, 5632, 24)
        (defaults.heads, defaults.kvHeads) = (16, 16)
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.kinds[0].attention.hasInputBias = try config.optionalBool("qkv_bias") ?? true
        try spec.setQwenWindow(config) { layer, first in layer % 2 == 0 && layer < first }
        var experts = try config.experts(count: "num_experts", 60, chosen: 4, width: 1408, score: .softmax)
        experts.shared = .init(
            width: try config.optionalPositive("shared_expert_intermediate_size") ?? 5632, isScored: true)
        try spec.setQwenExperts(config, experts)
        spec.names.setQwenSharedExpert()
        return spec
    }
}

/// Qwen 3 with experts (Yang et al., arXiv 2505.09388). Absent keys have the defaults of transformers' `Qwen3MoeConfig`.
enum Qwen3MoE: Architecture {
    static let modelTypes = ["qwen3_moe"]
    static let names = ["Qwen3MoeForCausalLM", "Qwen3MoeModel"]
    static let aliases = ["num_experts": "num_local_experts"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults.qwen
        (defaults.hiddenSize, defaults.width, defaults.layers) = (2048, 6144, 24)
        (defaults.heads, defaults.kvHeads) = (32, 4)
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.kinds[0].attention.hasBias = try config.optionalBool("attention_bias") ?? false
        spec.kinds[0].attention.headNorm = spec.finalNorm.map { HeadNormSpec($0) }
        if try config.optionalBool("use_sliding_window") ?? false {
            spec.kinds[0].attention.window = try config.window(default: 4096)
        }
        try spec.setQwenExperts(
            config, config.experts(count: "num_local_experts", 128, chosen: 8, width: 768, score: .softmax))
        return spec
    }
}

extension DecoderSpec {
    /// Experts in all layers, or in every so manieth, but for some.
    fileprivate mutating func setQwenExperts(
        _ config: ConfigurationFile, _ experts: ExpertSpec
    ) throws(CheckpointError) {
        let step = try config.optionalPositive("decoder_sparse_step") ?? 1
        let dense = try config.integers("mlp_only_layers")
        changeLayers { layer, kind in
            if !dense.contains(layer), (layer + 1) % step == 0 { kind.mlp.experts = experts }
        }
    }
}

extension DecoderWeightNames {
    mutating func setQwenSharedExpert() {
        rename([
            .sharedGate: "mlp.shared_expert.gate_proj", .sharedUp: "mlp.shared_expert.up_proj",
            .sharedDown: "mlp.shared_expert.down_proj",
        ])
    }
}

extension ConfigurationFile {
    /// Ten times what any model has.
    private static let mostExperts = 1 << 13

    /// What most families call the sizes of their experts.
    func experts(
        count countKey: String, _ count: Int, chosen: Int, width: Int, score: RoutingRule.Score,
        widthKey: String = "moe_intermediate_size", chosenKey: String = "num_experts_per_tok"
    ) throws(CheckpointError) -> ExpertSpec {
        let count = try optionalPositive(countKey, atMost: Self.mostExperts) ?? count
        let chosen = try optionalPositive(chosenKey, atMost: Self.mostExperts) ?? chosen
        guard chosen <= count else { throw fault(chosenKey, expected: "at most \(count)", got: String(chosen)) }
        var rule = RoutingRule(chosen: chosen, score: score)
        rule.normalizes = try optionalBool("norm_topk_prob") ?? false
        return ExpertSpec(count: count, width: try optionalPositive(widthKey) ?? width, rule: rule)
    }

    /// The width of some shared experts, which are one as wide as all of them; `nil` for none.
    func sharedWidth(_ key: String, default standard: Int, of experts: ExpertSpec) throws(CheckpointError) -> Int? {
        let width = try optionalCount(key).map { $0 * experts.width } ?? standard * experts.width
        guard width <= Self.maximumSize else {
            throw fault(
                key, expected: "at most \(Self.maximumSize / experts.width)", got: String(width / experts.width))
        }
        return width > 0 ? width : nil
    }
}
