import ApusCheckpoints
import ApusCompute

/// LFM 2 and 2.5 (Liquid AI, arXiv 2511.23404): short convolutions between gates, and attention in some layers. Absent keys have
/// the defaults of transformers' `Lfm2Config`.
enum LFM2: Architecture {
    static let modelTypes = ["lfm2"]
    static let names = ["Lfm2ForCausalLM", "Lfm2Model"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 65_536, hiddenSize: 2560, width: 12_288, layers: 32, heads: 32, kvHeads: 8,
            maxPositions: 128_000)
        if config["block_ff_dim"] != nil { defaults.keys.width = "block_ff_dim" }
        var spec = try DecoderSpec(lfm: config, defaults)
        if try config.optionalBool("block_auto_adjust_ff_dim") ?? true {
            var width = 2 * spec.kinds[0].mlp.width / 3
            if !config.isNull("block_ffn_dim_multiplier") {
                let unit = try config.optionalPositive("block_multiple_of") ?? 256
                let factor = try config.optionalDouble("block_ffn_dim_multiplier") ?? 1
                guard factor > 0, factor * Double(width) <= Double(ConfigurationFile.maximumSize) else {
                    throw config.fault(
                        "block_ffn_dim_multiplier", expected: "what makes a width of \(width)", got: String(factor))
                }
                width = (Int(factor * Double(width)) + unit - 1) / unit * unit
            }
            guard width > 0 else { throw config.fault(defaults.keys.width, expected: "some width", got: "none") }
            spec.changeLayers { _, kind in kind.mlp.width = width }
        }
        return spec
    }
}

/// The same with experts behind some layers without. Absent keys have the defaults of transformers' `Lfm2MoeConfig`.
enum LFM2MoE: Architecture {
    static let modelTypes = ["lfm2_moe"]
    static let names = ["Lfm2MoeForCausalLM", "Lfm2MoeModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(
            lfm: config,
            .init(
                vocabularySize: 65_536, hiddenSize: 2048, width: 7168, layers: 32, heads: 32, kvHeads: 8,
                maxPositions: 128_000))
        var experts = try config.experts(count: "num_experts", 32, chosen: 4, width: 1792, score: .sigmoid)
        experts.rule.normalizes = try config.optionalBool("norm_topk_prob") ?? true
        experts.rule.factor = Float(try config.optionalDouble("routed_scaling_factor") ?? 1)
        experts.hasChoiceBias = try config.optionalBool("use_expert_bias") ?? true
        experts.choiceBiasName = "expert_bias"
        let dense = try config.optionalInt("num_dense_layers") ?? 2
        spec.changeLayers { layer, kind in
            if layer >= dense { kind.mlp.experts = experts }
        }
        spec.names.rename([
            .router: "feed_forward.gate", .choiceBias: "feed_forward", .expertGate: "feed_forward.experts.#.w1",
            .expertUp: "feed_forward.experts.#.w3", .expertDown: "feed_forward.experts.#.w2",
        ])
        return spec
    }
}

extension DecoderSpec {
    fileprivate init(lfm config: ConfigurationFile, _ standard: DecoderDefaults) throws(CheckpointError) {
        var defaults = standard
        (defaults.epsilon, defaults.keys.epsilon) = (1e-5, "norm_eps")
        (defaults.theta, defaults.isTied) = (1_000_000, try config.optionalBool("tie_embedding") ?? true)
        try self.init(config, defaults: defaults)
        kinds[0].attention.headNorm = finalNorm.map { HeadNormSpec($0) }
        let convolution = ShortConvolutionSpec(
            channels: hiddenSize, taps: try config.optionalPositive("conv_L_cache") ?? 3,
            hasBias: try config.optionalBool("conv_bias") ?? false)
        let isConvolution = try config.layers(named: "conv", count: layers)
        let full = try config.integers("full_attn_idxs")
        changeLayers { layer, kind in
            if isConvolution?[layer] ?? (!full.isEmpty && !full.contains(layer)) {
                kind.recurrent = .shortConvolution(convolution)
            }
        }
        names.recurrentOutput = "conv.out_proj"
        names.rename([
            .finalNorm: "embedding_norm", .attentionNorm: "operator_norm", .mlpNorm: "ffn_norm",
            .output: "self_attn.out_proj", .queryNorm: "self_attn.q_layernorm", .keyNorm: "self_attn.k_layernorm",
            .gate: "feed_forward.w1", .up: "feed_forward.w3", .down: "feed_forward.w2", .convolution: "conv.conv",
        ])
        names.fuse([.convolutionGate, .convolutionOutputGate, .convolutionInput], as: "conv.in_proj")
    }
}
