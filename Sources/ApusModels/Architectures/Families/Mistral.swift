import ApusCheckpoints

/// Mistral 7B, Nemo, Small (Jiang et al., arXiv 2310.06825): each token sees the last keys only. Absent keys have the
/// defaults of transformers' `MistralConfig`.
enum Mistral: Architecture {
    static let modelTypes = ["mistral"]
    static let names = ["MistralForCausalLM", "MistralModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(
            config,
            defaults: .init(
                vocabularySize: 32_000, hiddenSize: 4096, width: 14_336, layers: 32, heads: 32, kvHeads: 8,
                maxPositions: 131_072))
        spec.kinds[0].attention.window = try config.window(default: 4096)
        return spec
    }
}

/// Ministral: layers with a window and without. Absent keys have the defaults of transformers' `MinistralConfig`.
enum Ministral: Architecture {
    static let modelTypes = ["ministral"]
    static let names = ["MinistralForCausalLM", "MinistralModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try Mistral.decoder(config)
        if let slides = try config.slidingLayers(count: spec.layers) {
            spec.changeLayers { layer, kind in
                if !slides[layer] { kind.attention.window = nil }
            }
        }
        return spec
    }
}
