import ApusCheckpoints

/// Gemma 3 (Gemma Team, arXiv 2503.19786): norms around both branches and of heads, five layers with a window and a rotary
/// embedding of their own for each that sees all. Absent keys have the defaults of transformers' `Gemma3TextConfig`.
enum Gemma3: Architecture {
    static let modelTypes = ["gemma3_text"]
    static let names = ["Gemma3ForCausalLM", "Gemma3TextModel"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 262_208, hiddenSize: 2304, width: 9216, layers: 26, heads: 8, kvHeads: 4, headDim: 256,
            maxPositions: 131_072)
        defaults.isTied = true
        var spec = try DecoderSpec(gemma: config, defaults)
        try spec.setSandwich(config)
        spec.logitSoftCap = try config.cap("final_logit_softcapping", default: nil)
        spec.kinds[0].attention.headNorm = spec.finalNorm.map { HeadNormSpec($0) }
        try spec.setLocalRotary(config, theta: 1_000_000, localTheta: config.optionalDouble("rope_local_base_freq"))
        let slides = try config.slidingLayers(count: spec.layers)
        let pattern = try config.optionalPositive("sliding_window_pattern") ?? 6
        let window = try config.window(default: 4096)
        spec.changeLayers { layer, kind in
            guard slides?[layer] ?? ((layer + 1) % pattern != 0) else { return }
            kind.attention.window = window
            kind.attention.rotary = 1
        }
        return spec
    }
}

extension DecoderSpec {
    /// A second rotary embedding, for layers with a window: nested parameters are theirs, others are not.
    mutating func setLocalRotary(
        _ config: ConfigurationFile, theta: Double, localTheta: Double?
    ) throws(CheckpointError) {
        let headDim = kinds[0].attention.headDim
        let nested = try config.optionalObject("rope_parameters")?.optionalObject("sliding_attention")
        let base = try nested?.optionalDouble("rope_theta")
        var local = RotarySpec(turned: headDim, theta: base ?? localTheta ?? 10_000, scaling: .none)
        if let nested {
            local = try RotarySpec(
                nested, parameters: nested, headDim: headDim, maxPositions: maxPositions, theta: local.theta)
        }
        rotaries = [
            try RotarySpec(
                config, headDim: headDim, maxPositions: maxPositions, theta: theta, layerType: "full_attention"), local,
        ]
    }
}
