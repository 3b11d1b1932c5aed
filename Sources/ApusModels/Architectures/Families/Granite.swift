import ApusCheckpoints

/// Granite 3 (IBM, huggingface.co/ibm-granite): multipliers of embeddings, scores, branches and logits. Absent keys have the
/// defaults of transformers' `GraniteConfig`.
enum Granite: Architecture {
    static let modelTypes = ["granite"]
    static let names = ["GraniteForCausalLM", "GraniteModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(config, defaults: .llama)
        try spec.setBiases(config)
        spec.embedding.scale = Float(try config.optionalDouble("embedding_multiplier") ?? 1)
        spec.kinds[0].attention.scale = Float(try config.optionalDouble("attention_multiplier") ?? 1)
        spec.kinds[0].branchScale = Float(try config.optionalDouble("residual_multiplier") ?? 1)
        let divisor = try config.optionalDouble("logits_scaling") ?? 1
        guard divisor != 0 else { throw config.fault("logits_scaling", expected: "a number other than 0", got: "0") }
        spec.logitScale = Float(1 / divisor)
        return spec
    }
}
