import ApusCheckpoints

/// Gemma 2 (Gemma Team, arXiv 2408.00118): norms around both branches, capped scores and logits, a window in every other layer.
/// Absent keys have the defaults of transformers' `Gemma2Config`.
enum Gemma2: Architecture {
    static let modelTypes = ["gemma2"]
    static let names = ["Gemma2ForCausalLM", "Gemma2Model"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 256_000, hiddenSize: 2304, width: 9216, layers: 26, heads: 8, kvHeads: 4, headDim: 256,
            maxPositions: 8192)
        defaults.isTied = true
        var spec = try DecoderSpec(gemma: config, defaults)
        try spec.setSandwich(config)
        spec.kinds[0].attention.softCap = try config.cap("attn_logit_softcapping", default: 50)
        spec.logitSoftCap = try config.cap("final_logit_softcapping", default: 30)
        let slides = try config.slidingLayers(count: spec.layers)
        spec.setWindow(try config.window(default: 4096)) { slides?[$0] ?? (($0 + 1) % 2 != 0) }
        return spec
    }
}

extension ConfigurationFile {
    /// A cap of scores or logits: null means none.
    func cap(_ key: String, default standard: Double?) throws(CheckpointError) -> Float? {
        guard !isNull(key), let cap = try optionalDouble(key) ?? standard else { return nil }
        guard cap > 0 else { throw fault(key, expected: "a positive number", got: String(cap)) }
        return Float(cap)
    }
}
