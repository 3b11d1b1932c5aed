import ApusCheckpoints

/// InternLM 2 and 2.5 (Cai et al., arXiv 2403.17297): Llama under other names, with one matrix for the queries, keys and values
/// of each key-value head. Absent keys have the defaults of its own `InternLM2Config`.
enum InternLM2: Architecture {
    static let modelTypes = ["internlm2"]
    static let names = ["InternLM2ForCausalLM", "InternLM2Model"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 103_168, hiddenSize: 4096, width: 11_008, layers: 32, heads: 32, maxPositions: 2048)
        defaults.epsilon = 1e-6
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.kinds[0].attention.hasBias = try config.optionalBool("bias") ?? true
        spec.names.heads = ["output"]
        spec.names.rename([
            .embedding: "tok_embeddings", .attentionNorm: "attention_norm", .mlpNorm: "ffn_norm",
            .output: "attention.wo", .gate: "feed_forward.w1", .up: "feed_forward.w3", .down: "feed_forward.w2",
        ])
        spec.names.fuse([.query, .key, .value], as: "attention.wqkv", groups: .kvHeads)
        return spec
    }
}

/// InternLM 3: Llama with biases that have other keys. Absent keys have the defaults of transformers' `InternLM3Config`.
enum InternLM3: Architecture {
    static let modelTypes = ["internlm3"]
    static let names = ["InternLM3ForCausalLM", "InternLM3Model"]
    static let aliases = ["qkv_bias": "attention_bias", "bias": "mlp_bias"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 128_512, hiddenSize: 4096, width: 10_240, layers: 48, heads: 32, kvHeads: 2, headDim: 128,
            maxPositions: 32_768)
        defaults.epsilon = 1e-5
        var spec = try DecoderSpec(config, defaults: defaults)
        try spec.setBiases(config)
        if let hasBias = try config.optionalBool("bias") { spec.kinds[0].mlp.hasBias = hasBias }
        if let hasBias = try config.optionalBool("qkv_bias") {
            spec.kinds[0].attention.hasInputBias = hasBias
            spec.kinds[0].attention.hasOutputBias = spec.kinds[0].mlp.hasBias
        }
        return spec
    }
}
