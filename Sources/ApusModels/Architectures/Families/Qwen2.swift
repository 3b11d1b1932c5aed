import ApusCheckpoints

/// Qwen 2 and 2.5, and what was made of them (Yang et al., arXiv 2407.10671): queries, keys and values have biases.
/// Absent keys have the defaults of transformers' `Qwen2Config`.
enum Qwen2: Architecture {
    static let modelTypes = ["qwen2"]
    static let names = ["Qwen2ForCausalLM", "Qwen2Model"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(config, defaults: .qwen)
        spec.kinds[0].attention.hasInputBias = true
        try spec.setQwenWindow(config)
        return spec
    }
}

extension DecoderSpec {
    /// Configurations name a window and its layers even where none is used.
    ///
    /// - Parameter hasWindow: of a layer's number and `max_window_layers`, where the layers have no types.
    mutating func setQwenWindow(
        _ config: ConfigurationFile, _ hasWindow: (Int, Int) -> Bool = { $0 >= $1 }
    ) throws(CheckpointError) {
        guard try config.optionalBool("use_sliding_window") ?? false, let window = try config.window(default: 4096)
        else { return }
        let first = try config.optionalInt("max_window_layers") ?? 28
        let slides = try config.slidingLayers(count: layers)
        setWindow(window) { slides?[$0] ?? hasWindow($0, first) }
    }
}
