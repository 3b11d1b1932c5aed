import ApusCheckpoints

/// ERNIE 4.5, dense (Baidu, ERNIE 4.5 Technical Report): Llama, but neighbouring elements turn. Absent keys have the defaults of
/// transformers' `Ernie4_5Config`.
enum ERNIE45: Architecture {
    static let modelTypes = ["ernie4_5"]
    static let names = ["Ernie4_5ForCausalLM", "Ernie4_5_ForCausalLM", "Ernie4_5Model", "Ernie4_5_Model"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 103_424, hiddenSize: 1024, width: 3072, layers: 18, heads: 16, kvHeads: 2, headDim: 128,
            maxPositions: 131_072)
        (defaults.epsilon, defaults.theta, defaults.isTied) = (1e-5, 500_000, true)
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.rotaries[0].turnsNeighbours = true
        let hasBias = try config.optionalBool("use_bias") ?? false
        spec.kinds[0].attention.hasBias = hasBias
        spec.kinds[0].mlp.hasBias = hasBias
        return spec
    }
}
