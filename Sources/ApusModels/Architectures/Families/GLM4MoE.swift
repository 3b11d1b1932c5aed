import ApusCheckpoints
import ApusCompute

/// GLM-4.5 to 4.7 (GLM Team, arXiv 2508.06471): sigmoid scores, biased choices, groups of experts. Absent keys have the defaults
/// of transformers' `Glm4MoeConfig`.
enum GLM4MoE: Architecture {
    static let modelTypes = ["glm4_moe"]
    static let names = ["Glm4MoeForCausalLM", "Glm4MoeModel"]
    static let aliases = ["num_local_experts": "n_routed_experts"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 151_552, hiddenSize: 4096, width: 10_944, layers: 46, heads: 96, kvHeads: 8,
            maxPositions: 131_072)
        (defaults.epsilon, defaults.turnedShare) = (1e-5, 0.5)
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.kinds[0].attention.hasInputBias = try config.optionalBool("attention_bias") ?? false
        if try config.optionalBool("use_qk_norm") ?? false {
            spec.kinds[0].attention.headNorm = spec.finalNorm.map { HeadNormSpec($0) }
        }
        try spec.setDeepSeekExperts(config, count: 128, chosen: 8, dense: 1, shared: 1, normalizes: true)
        return spec
    }
}

/// dots.llm1 (rednote, arXiv 2506.05767): Qwen 3's attention with such experts. Absent keys have the defaults of transformers'
/// `Dots1Config`.
enum Dots1: Architecture {
    static let modelTypes = ["dots1"]
    static let names = ["Dots1ForCausalLM", "Dots1Model"]
    static let aliases = ["num_local_experts": "n_routed_experts"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        let defaults = DecoderDefaults(
            vocabularySize: 152_064, hiddenSize: 4608, width: 10_944, layers: 62, heads: 32, kvHeads: 32,
            maxPositions: 2048)
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.kinds[0].attention.hasBias = try config.optionalBool("attention_bias") ?? false
        spec.kinds[0].attention.headNorm = spec.finalNorm.map { HeadNormSpec($0) }
        let slides = try config.slidingLayers(count: spec.layers)
        let first = try config.optionalInt("max_window_layers") ?? 62
        spec.setWindow(try config.window(default: 4096)) { slides?[$0] ?? ($0 >= first) }
        try spec.setDeepSeekExperts(config, count: 128, chosen: 6, dense: 0, shared: 0, normalizes: false)
        return spec
    }
}

extension DecoderSpec {
    /// Experts as DeepSeek V3 has them (arXiv 2412.19437), behind some layers without.
    mutating func setDeepSeekExperts(
        _ config: ConfigurationFile, count: Int, chosen: Int, dense: Int, shared: Int, normalizes: Bool
    ) throws(CheckpointError) {
        var experts = try config.experts(
            count: "n_routed_experts", count, chosen: chosen, width: 1408, score: .sigmoid)
        experts.rule.normalizes = try config.optionalBool("norm_topk_prob") ?? normalizes
        experts.rule.factor = Float(try config.optionalDouble("routed_scaling_factor") ?? 1)
        experts.hasChoiceBias = true
        let groups = try config.optionalPositive("n_group") ?? 1
        let kept = try config.optionalPositive("topk_group") ?? 1
        guard experts.count % groups == 0, kept <= groups, kept * (experts.count / groups) >= experts.rule.chosen else {
            throw config.fault("n_group", expected: "groups that leave enough experts", got: "\(kept) of \(groups)")
        }
        if groups > 1 { experts.rule.groups = .init(count: groups, kept: kept) }
        if let width = try config.sharedWidth("n_shared_experts", default: shared, of: experts) {
            experts.shared = .init(width: width)
        }
        let first = try config.optionalInt("first_k_dense_replace") ?? dense
        changeLayers { layer, kind in
            if layer >= first { kind.mlp.experts = experts }
        }
        // What predicts further tokens stands behind the last layer.
        names.ignoredPrefixes += ["model.layers.\(layers).", "layers.\(layers)."]
    }
}
