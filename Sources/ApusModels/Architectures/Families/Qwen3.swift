import ApusCheckpoints

/// Qwen 3, dense (Yang et al., arXiv 2505.09388): each head of queries and keys has a norm. Absent keys have the defaults
/// of transformers' `Qwen3Config`.
enum Qwen3: Architecture {
    static let modelTypes = ["qwen3"]
    static let names = ["Qwen3ForCausalLM", "Qwen3Model"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(
            config,
            defaults: .init(
                vocabularySize: 151_936, hiddenSize: 4096, width: 22_016, layers: 32, heads: 32, kvHeads: 32,
                headDim: 128, maxPositions: 32_768))
        try spec.setBiases(config)
        spec.kinds[0].attention.headNorm = spec.finalNorm
        try spec.setQwenWindow(config)
        return spec
    }
}
