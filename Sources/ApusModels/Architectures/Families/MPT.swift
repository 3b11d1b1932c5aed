import ApusCheckpoints
import ApusCompute

/// MPT (MosaicML, 2023): positions as slopes of scores, norms with weights alone. Absent keys have the defaults of
/// transformers' `MptConfig`.
enum MPT: Architecture {
    static let modelTypes = ["mpt"]
    static let names = ["MptForCausalLM", "MptModel", "MPTForCausalLM"]
    static let aliases = [
        "num_attention_heads": "n_heads", "hidden_size": "d_model", "num_hidden_layers": "n_layers",
    ]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 50_368, hiddenSize: 2048, width: 0, layers: 24, heads: 16, maxPositions: 2048)
        (defaults.norm, defaults.epsilon, defaults.activation, defaults.isTied) = (.layer, 1e-5, .gelu, true)
        defaults.keys = .gpt2
        (defaults.keys.hiddenSize, defaults.keys.layers, defaults.keys.heads) = ("d_model", "n_layers", "n_heads")
        defaults.keys.maxPositions = "max_seq_len"
        var spec = try DecoderSpec(config, defaults: defaults)
        spec.removeRotary()
        // transformers has 4 and 8 for these two, whatever the configuration says.
        let ratio = try config.optionalPositive("expansion_ratio") ?? 4
        spec.kinds[0].mlp = MLPSpec(width: ratio * spec.hiddenSize, activation: .gelu, isGated: false)
        let attention = try config.optionalObject("attn_config")
        if let scale = try attention?.optionalDouble("softmax_scale") { spec.kinds[0].attention.scale = Float(scale) }
        if let limit = try attention?.cap("clip_qkv", default: nil) { spec.kinds[0].attention.clip = limit }
        spec.kinds[0].attention.slopes = slopes(
            heads: spec.kinds[0].attention.heads, steepest: try attention?.optionalDouble("alibi_bias_max") ?? 8)
        spec.names.bodies = ["transformer", ""]
        spec.names.layers = "blocks"
        spec.names.rename([
            .embedding: "wte", .attentionNorm: "norm_1", .mlpNorm: "norm_2", .finalNorm: "norm_f",
            .output: "attn.out_proj", .up: "ffn.up_proj", .down: "ffn.down_proj",
        ])
        spec.names.fuse([.query, .key, .value], as: "attn.Wqkv")
        return spec
    }

    /// 2^(-steepest · i / P) for the next power of two P, every second one first if there are too many.
    private static func slopes(heads: Int, steepest: Double) -> [Float] {
        var power = 1
        while power < heads { power *= 2 }
        let all = AttentionSpec.alibiSlopes(heads: power, steepest: steepest)
        if power == heads { return all }
        let (odd, even) = (all.indices.filter { $0 % 2 == 1 }, all.indices.filter { $0 % 2 == 0 })
        return (odd + even).prefix(heads).map { all[$0] }
    }
}
