import ApusCheckpoints

/// Command-R, Aya (huggingface.co/CohereForAI): one norm that is centered, attention and MLP beside each other, neighbouring
/// elements turn. Absent keys have the defaults of transformers' `CohereConfig`.
enum Cohere: Architecture {
    static let modelTypes = ["cohere"]
    static let names = ["CohereForCausalLM", "CohereModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(cohere: config, theta: 500_000)
        if try config.optionalBool("use_qk_norm") ?? false {
            spec.kinds[0].attention.headNorm = spec.finalNorm.map { HeadNormSpec($0, .headWithOwnWeights) }
        }
        return spec
    }
}

/// Command R7B, Command A: three layers with a window for each that sees all, where nothing turns. Absent keys have the
/// defaults of transformers' `Cohere2Config`.
enum Cohere2: Architecture {
    static let modelTypes = ["cohere2"]
    static let names = ["Cohere2ForCausalLM", "Cohere2Model"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(cohere: config, theta: 10_000)
        let slides = try config.slidingLayers(count: spec.layers)
        let pattern = try config.optionalPositive("sliding_window_pattern") ?? 4
        let window = try config.window(default: 4096)
        spec.changeLayers { layer, kind in
            let isLocal = slides?[layer] ?? ((layer + 1) % pattern != 0)
            kind.attention.window = isLocal ? window : nil
            // Without a window nothing turns, whatever the layer is called.
            if !isLocal || window == nil { kind.attention.rotary = nil }
        }
        return spec
    }
}

extension DecoderSpec {
    fileprivate init(cohere config: ConfigurationFile, theta: Double) throws(CheckpointError) {
        var defaults = DecoderDefaults(
            vocabularySize: 256_000, hiddenSize: 8192, width: 22_528, layers: 40, heads: 64, maxPositions: 8192)
        (defaults.norm, defaults.epsilon, defaults.keys.epsilon) = (.layer, 1e-5, "layer_norm_eps")
        (defaults.theta, defaults.isTied) = (theta, true)
        try self.init(config, defaults: defaults)
        rotaries[0].turnsNeighbours = true
        kinds[0].residual = .parallel
        kinds[0].mlpNorm = nil
        kinds[0].attention.hasBias = try config.optionalBool("attention_bias") ?? false
        logitScale = Float(try config.optionalDouble("logit_scale") ?? 0.0625)
    }
}
