import ApusCheckpoints
import ApusCompute

/// OLMoE (Muennighoff et al., arXiv 2409.02060): 8 experts of 64, norms of all heads together. Absent keys have the defaults of
/// transformers' `OlmoeConfig`.
enum OLMoE: Architecture {
    static let modelTypes = ["olmoe"]
    static let names = ["OlmoeForCausalLM", "OlmoeModel"]
    static let aliases = ["num_local_experts": "num_experts"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 50_304, hiddenSize: 2048, width: 2048, layers: 16, heads: 16, maxPositions: 4096)
        defaults.epsilon = 1e-5
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.kinds[0].attention.hasBias = try config.optionalBool("attention_bias") ?? false
        spec.kinds[0].attention.clip = try config.cap("clip_qkv", default: nil)
        spec.kinds[0].attention.headNorm = spec.finalNorm.map { HeadNormSpec($0, .row) }
        spec.kinds[0].attention.clipsNormed = true
        spec.kinds[0].mlp.experts = try config.experts(
            count: "num_experts", 64, chosen: 8, width: 2048, score: .softmax, widthKey: "intermediate_size")
        return spec
    }
}
