import ApusCheckpoints

/// MiniCPM 1 and 2 (Hu et al., arXiv 2404.06395): Llama with scaled embeddings, branches and logits. Absent keys have the
/// defaults of its own `MiniCPMConfig`.
enum MiniCPM: Architecture {
    static let modelTypes = ["minicpm"]
    static let names = ["MiniCPMForCausalLM", "MiniCPMModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults.llama
        defaults.isTied = true
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.kinds[0].attention.hasBias = try config.optionalBool("attention_bias") ?? false
        spec.embedding.scale = Float(try config.optionalDouble("scale_emb") ?? 1)
        let depth = try config.optionalDouble("scale_depth") ?? 1
        spec.kinds[0].branchScale = Float(depth / Double(spec.layers).squareRoot())
        let base = try config.optionalPositive("dim_model_base") ?? 1
        spec.logitScale = Float(Double(base) / Double(spec.hiddenSize))
        return spec
    }
}
