import ApusCheckpoints
import ApusCompute

/// Nemotron 3 and 4, Minitron (Parmar et al., arXiv 2402.16819): centered norms whose weights are what is beyond 1, plain MLPs.
/// Absent keys have the defaults of transformers' `NemotronConfig`.
enum Nemotron: Architecture {
    static let modelTypes = ["nemotron"]
    static let names = ["NemotronForCausalLM", "NemotronModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 256_000, hiddenSize: 6144, width: 24_576, layers: 32, heads: 48, maxPositions: 4096)
        (defaults.norm, defaults.epsilon, defaults.keys.epsilon) = (.layer, 1e-5, "norm_eps")
        (defaults.activation, defaults.turnedShare) = (.reluSquared, 0.5)
        var spec = try DecoderSpec(config, defaults: defaults)
        try spec.setBiases(config)
        spec.changeNorms { ($0.hasBias, $0.weightOffset) = (true, 1) }
        spec.kinds[0].mlp.isGated = false
        return spec
    }
}
