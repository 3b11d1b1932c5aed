import ApusCheckpoints
import ApusCompute

/// Qwen 3.5 and 3.6 (Qwen Team, 2026): gated delta nets, and every fourth layer attention whose results have a gate. Absent keys
/// have the defaults of transformers' `Qwen3_5TextConfig`.
enum Qwen35: Architecture {
    static let modelTypes = ["qwen3_5_text"]
    static let names = ["Qwen3_5ForCausalLM", "Qwen3_5TextModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        try DecoderSpec(
            hybrid: config,
            .init(
                vocabularySize: 248_320, hiddenSize: 4096, width: 12_288, layers: 32, heads: 16, kvHeads: 4,
                headDim: 256, maxPositions: 32_768, turnedShare: 0.25))
    }
}

/// The same with experts. Absent keys have the defaults of transformers' `Qwen3_5MoeTextConfig`.
enum Qwen35MoE: Architecture {
    static let modelTypes = ["qwen3_5_moe_text"]
    static let names = ["Qwen3_5MoeForCausalLM", "Qwen3_5MoeTextModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(
            hybrid: config,
            .init(
                vocabularySize: 248_320, hiddenSize: 2048, width: 512, layers: 40, heads: 16, kvHeads: 2,
                headDim: 256, maxPositions: 32_768, turnedShare: 0.25))
        var experts = try config.experts(count: "num_experts", 256, chosen: 8, width: 512, score: .softmax)
        experts.rule.normalizes = true
        experts.shared = .init(
            width: try config.optionalPositive("shared_expert_intermediate_size") ?? 512, isScored: true)
        spec.changeLayers { _, kind in kind.mlp.experts = experts }
        spec.names.setQwenSharedExpert()
        return spec
    }
}

extension DecoderSpec {
    fileprivate init(hybrid config: ConfigurationFile, _ defaults: DecoderDefaults) throws(CheckpointError) {
        try self.init(config, defaults: defaults)
        let net = DeltaNetSpec(
            keyHeads: try config.optionalPositive("linear_num_key_heads") ?? 16,
            valueHeads: try config.optionalPositive("linear_num_value_heads") ?? 32,
            keyDim: try config.optionalPositive("linear_key_head_dim") ?? 128,
            valueDim: try config.optionalPositive("linear_value_head_dim") ?? 128,
            taps: try config.optionalPositive("linear_conv_kernel_dim") ?? 4,
            norm: NormSpec(epsilon: try config.optionalDouble("rms_norm_eps") ?? 1e-6))
        guard net.valueHeads % net.keyHeads == 0 else {
            throw config.fault(
                "linear_num_value_heads", expected: "a multiple of \(net.keyHeads)", got: "\(net.valueHeads)")
        }
        changeNorms { $0.weightOffset = 1 }
        kinds[0].attention.hasBias = try config.optionalBool("attention_bias") ?? false
        kinds[0].attention.headNorm = finalNorm.map { HeadNormSpec($0) }
        kinds[0].attention.hasOutputGate = true
        names.fuse([.query, .outputGate], as: "self_attn.q_proj", groups: .heads)
        names.ignoredPrefixes += ["mtp.", "model.mtp."]
        let isLinear = try config.layers(named: "linear_attention", count: layers)
        let interval = try config.optionalPositive("full_attention_interval") ?? 4
        changeLayers { layer, kind in
            if isLinear?[layer] ?? ((layer + 1) % interval != 0) { kind.recurrent = .deltaNet(net) }
        }
    }
}
