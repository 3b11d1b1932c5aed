import ApusCheckpoints

/// OLMo 1 (Groeneveld et al., arXiv 2402.00838): norms without weights. Absent keys have the defaults of transformers'
/// `OlmoConfig`.
enum OLMo: Architecture {
    static let modelTypes = ["olmo"]
    static let names = ["OlmoForCausalLM", "OlmoModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(config, defaults: .olmo)
        spec.changeNorms { $0 = NormSpec(.layer, epsilon: 1e-5) }
        spec.changeNorms { $0.hasWeight = false }
        spec.kinds[0].attention.hasBias = try config.optionalBool("attention_bias") ?? false
        spec.kinds[0].attention.clip = try config.cap("clip_qkv", default: nil)
        return spec
    }
}

/// OLMo 2 (OLMo Team, arXiv 2501.00656): norms of results instead of inputs, and of all heads together. Absent keys have the
/// defaults of transformers' `Olmo2Config`.
enum OLMo2: Architecture {
    static let modelTypes = ["olmo2"]
    static let names = ["Olmo2ForCausalLM", "Olmo2Model"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(config, defaults: .olmo)
        spec.kinds[0].attention.hasBias = try config.optionalBool("attention_bias") ?? false
        spec.kinds[0].attention.headNorm = spec.finalNorm.map { HeadNormSpec($0, .row) }
        spec.kinds[0].normResults()
        return spec
    }
}

/// OLMo 3: three layers with a window for each without. Absent keys have the defaults of transformers' `Olmo3Config`.
enum OLMo3: Architecture {
    static let modelTypes = ["olmo3"]
    static let names = ["Olmo3ForCausalLM", "Olmo3Model"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try OLMo2.decoder(config)
        try spec.setLocalRotary(config, theta: 500_000, localTheta: 500_000)
        let slides = try config.slidingLayers(count: spec.layers)
        let window = try config.window(default: 4096)
        spec.changeLayers { layer, kind in
            guard slides?[layer] ?? ((layer + 1) % 4 != 0) else { return }
            kind.attention.window = window
            kind.attention.rotary = 1
        }
        return spec
    }
}

extension DecoderDefaults {
    fileprivate static let olmo = {
        var defaults = DecoderDefaults(
            vocabularySize: 50_304, hiddenSize: 4096, width: 11_008, layers: 32, heads: 32, maxPositions: 2048)
        defaults.epsilon = 1e-5
        return defaults
    }()
}
