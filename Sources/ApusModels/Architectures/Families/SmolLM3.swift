import ApusCheckpoints

/// SmolLM3 (huggingface.co/blog/smollm3): every fourth layer does not turn its heads. Absent keys have the defaults of
/// transformers' `SmolLM3Config`.
enum SmolLM3: Architecture {
    static let modelTypes = ["smollm3"]
    static let names = ["SmolLM3ForCausalLM", "SmolLM3Model"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(
            config,
            defaults: .init(
                vocabularySize: 128_256, hiddenSize: 2048, width: 11_008, layers: 36, heads: 16, kvHeads: 4,
                maxPositions: 32_768, theta: 2_000_000, isTied: true))
        try spec.setBiases(config)
        // Its name says the opposite: 1 where heads are turned.
        let turned = try config.integers("no_rope_layers")
        let interval = try config.optionalPositive("no_rope_layer_interval") ?? 4
        guard turned.isEmpty || turned.count == spec.layers else {
            throw config.fault("no_rope_layers", expected: "\(spec.layers) numbers", got: "\(turned.count)")
        }
        let usesWindow = try config.optionalBool("use_sliding_window") ?? false
        let window = try config.optionalPositive("sliding_window", atMost: 1 << 40)
        let slides = try config.slidingLayers(count: spec.layers)
        spec.changeLayers { layer, kind in
            kind.attention.rotary = (turned.isEmpty ? (layer + 1) % interval != 0 : turned[layer] != 0) ? 0 : nil
            if slides?[layer] ?? (usesWindow && kind.attention.rotary == nil) { kind.attention.window = window }
        }
        return spec
    }
}
