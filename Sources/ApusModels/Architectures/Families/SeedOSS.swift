import ApusCheckpoints

/// Seed-OSS (huggingface.co/ByteDance-Seed): queries, keys and values have biases. Absent keys have the defaults of
/// transformers' `SeedOssConfig`.
enum SeedOSS: Architecture {
    static let modelTypes = ["seed_oss"]
    static let names = ["SeedOssForCausalLM", "SeedOssModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(
            config,
            defaults: .init(
                vocabularySize: 155_136, hiddenSize: 4096, width: 27_648, layers: 64, heads: 80, kvHeads: 8,
                headDim: 128,
                maxPositions: 524_288))
        spec.kinds[0].attention.hasInputBias = try config.optionalBool("attention_bias") ?? true
        spec.kinds[0].attention.hasOutputBias = try config.optionalBool("attention_out_bias") ?? false
        spec.kinds[0].mlp.hasBias = try config.optionalBool("mlp_bias") ?? false
        return spec
    }
}
