import ApusCheckpoints
import ApusJSON

/// Phi-3, 3.5, 4 and 4-mini (Abdin et al., arXiv 2404.14219): fused matrices, and frequencies that change for all tokens once
/// a sequence is longer than the original context. Absent keys have the defaults of transformers' `Phi3Config`.
enum Phi3: Architecture {
    static let modelTypes = ["phi3"]
    static let names = ["Phi3ForCausalLM", "Phi3Model"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 32_064, hiddenSize: 3072, width: 8192, layers: 32, heads: 32, maxPositions: 4096)
        defaults.epsilon = 1e-5
        var spec = try DecoderSpec(config, defaults: defaults)
        let (old, new) = (try config.optionalObject("rope_scaling"), try config.optionalObject("rope_parameters"))
        let original = "original_max_position_embeddings"
        let config = (old ?? new)?[original] == nil ? config.assuming([original: 4096], unless: [original]) : config
        // Its first configurations say yarn for what is longrope.
        spec.rotaries[0] = try RotarySpec(
            config, headDim: spec.kinds[0].attention.headDim, maxPositions: spec.maxPositions,
            typeNames: ["yarn": "longrope"])
        spec.recomputedPast = spec.rotaries[0].changesPast
        spec.kinds[0].attention.window = try config.window(default: nil)
        spec.names.fuse([.query, .key, .value], as: "self_attn.qkv_proj")
        spec.names.fuse([.gate, .up], as: "mlp.gate_up_proj")
        return spec
    }
}
