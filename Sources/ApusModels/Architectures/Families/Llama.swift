import ApusCheckpoints

/// Llama 1 to 3.2 (Touvron et al., arXiv 2302.13971; Grattafiori et al., arXiv 2407.21783), and the models that share
/// its configuration. Absent keys have the defaults of transformers' `LlamaConfig`.
enum Llama: Architecture {
    static let modelTypes = ["llama"]
    static let names = ["LlamaForCausalLM", "LlamaModel", "LLaMAForCausalLM", "LLaMAModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(
            config,
            defaults: .init(
                vocabularySize: 32_000, hiddenSize: 4096, width: 11_008, layers: 32, heads: 32, maxPositions: 2048))
        try spec.setBiases(config)
        spec.window = try config.optionalPositive("sliding_window", atMost: 1 << 40)
        return spec
    }
}
