import ApusCheckpoints

/// Hunyuan, dense (huggingface.co/tencent): each head has a norm once it is turned. Absent keys have the defaults of
/// transformers' `HunYuanDenseV1Config`.
enum Hunyuan: Architecture {
    static let modelTypes = ["hunyuan_v1_dense"]
    static let names = ["HunYuanDenseV1ForCausalLM", "HunYuanDenseV1Model"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults.llama
        (defaults.vocabularySize, defaults.epsilon) = (290_943, 1e-5)
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.kinds[0].attention.hasBias = try config.optionalBool("attention_bias") ?? false
        spec.kinds[0].attention.headNorm = spec.finalNorm.map { HeadNormSpec($0) }
        spec.kinds[0].attention.normsComeLast = true
        spec.names.rename([
            .queryNorm: "self_attn.query_layernorm", .keyNorm: "self_attn.key_layernorm",
        ])
        return spec
    }
}
