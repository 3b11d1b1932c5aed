import ApusCheckpoints
import ApusCompute

/// Llama 1 to 3.2 (Touvron et al., arXiv 2302.13971; Grattafiori et al., arXiv 2407.21783), and the models that share
/// its configuration. Absent keys have the defaults of transformers' `LlamaConfig`.
enum Llama: Architecture {
    static let modelTypes = ["llama"]
    static let names = ["LlamaForCausalLM", "LlamaModel", "LLaMAForCausalLM", "LLaMAModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        let hiddenSize = try config.optionalPositive("hidden_size") ?? 4096
        let heads = try config.optionalPositive("num_attention_heads") ?? 32
        let kvHeads = try config.optionalPositive("num_key_value_heads") ?? heads
        let headDim = try config.optionalPositive("head_dim") ?? hiddenSize / heads
        guard heads % kvHeads == 0 else {
            throw config.fault("num_key_value_heads", expected: "a divisor of \(heads)", got: String(kvHeads))
        }
        guard headDim > 0, headDim % 2 == 0 else {
            throw config.fault("head_dim", expected: "an even number above 0", got: String(headDim))
        }
        let maxPositions = try config.optionalPositive("max_position_embeddings", atMost: 1 << 40) ?? 2048
        let epsilon = try config.optionalDouble("rms_norm_eps") ?? 1e-6
        var attention = AttentionSpec(heads: heads, kvHeads: kvHeads, headDim: headDim)
        attention.hasInputBias = try config.optionalBool("attention_bias") ?? false
        attention.hasOutputBias = attention.hasInputBias
        var mlp = MLPSpec(
            width: try config.optionalPositive("intermediate_size") ?? 11008,
            activation: try config.activation("hidden_act"))
        mlp.hasBias = try config.optionalBool("mlp_bias") ?? false
        let norm = NormSpec(epsilon: epsilon)
        let layers = try config.optionalPositive("num_hidden_layers", atMost: 10_000) ?? 32
        return DecoderSpec(
            vocabularySize: try config.optionalPositive("vocab_size", atMost: 1 << 30) ?? 32000,
            hiddenSize: hiddenSize,
            kinds: [LayerKind(attention: attention, mlp: mlp, attentionNorm: norm, mlpNorm: norm)],
            pattern: Array(repeating: 0, count: layers),
            finalNorm: norm,
            tiedEmbeddings: try config.optionalBool("tie_word_embeddings") ?? false,
            rotary: try RotarySpec(config, headDim: headDim, maxPositions: maxPositions),
            window: try config.optionalPositive("sliding_window", atMost: 1 << 40),
            maxPositions: maxPositions,
            names: DecoderWeightNames())
    }
}

extension ConfigurationFile {
    /// An activation by the names of transformers' `ACT2FN`; `silu` if absent.
    func activation(_ key: String) throws(CheckpointError) -> Activation {
        let name = try optionalString(key) ?? "silu"
        switch name {
        case "silu", "swish": return .silu
        case "gelu": return .gelu
        case "gelu_new", "gelu_fast", "gelu_pytorch_tanh": return .geluTanh
        case "relu": return .relu
        default: throw fault(key, expected: "silu, gelu, gelu_pytorch_tanh or relu", got: "'\(name)'")
        }
    }
}
