import ApusCheckpoints

/// Qwen 3, dense (Yang et al., arXiv 2505.09388): each head of queries and keys has a norm. Absent keys have the defaults
/// of transformers' `Qwen3Config`.
enum Qwen3: Architecture {
    static let modelTypes = ["qwen3"]
    static let names = ["Qwen3ForCausalLM", "Qwen3Model"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults.qwen
        defaults.headDim = 128
        var spec = try DecoderSpec(config, defaults: defaults)
        try spec.setBiases(config)
        spec.kinds[0].attention.headNorm = spec.finalNorm.map { HeadNormSpec($0) }
        try spec.setQwenWindow(config)
        return spec
    }
}
