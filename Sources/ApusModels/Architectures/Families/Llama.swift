import ApusCheckpoints

/// Llama 1 to 3.2 (Touvron et al., arXiv 2302.13971; Grattafiori et al., arXiv 2407.21783), and the models that share
/// its configuration. Absent keys have the defaults of transformers' `LlamaConfig`.
enum Llama: Architecture {
    static let modelTypes = ["llama"]
    static let names = ["LlamaForCausalLM", "LlamaModel", "LLaMAForCausalLM", "LLaMAModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(config, defaults: .llama)
        try spec.setBiases(config)
        return spec
    }
}
