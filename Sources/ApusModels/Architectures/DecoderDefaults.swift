import ApusCompute

/// What a family's `config.json` calls its sizes.
struct DecoderKeys {
    var hiddenSize = "hidden_size"
    var width = "intermediate_size"
    var layers = "num_hidden_layers"
    var heads = "num_attention_heads"
    var kvHeads = "num_key_value_heads"
    var maxPositions = "max_position_embeddings"
    var epsilon = "rms_norm_eps"
    var activation = "hidden_act"

    /// As GPT-2 has them.
    static let gpt2 = DecoderKeys(
        hiddenSize: "n_embd", width: "n_inner", layers: "n_layer", heads: "n_head", maxPositions: "n_positions",
        epsilon: "layer_norm_epsilon", activation: "activation_function")
    static let gpt2Aliases = [
        "hidden_size": "n_embd", "max_position_embeddings": "n_positions", "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    ]
}

/// What a family takes where its `config.json` says nothing: the defaults of its class in transformers. They are part of the
/// format, since such files leave keys out.
struct DecoderDefaults {
    var vocabularySize: Int
    var hiddenSize: Int
    /// Of the MLP.
    var width: Int
    var layers: Int
    var heads: Int
    /// As many as heads if `nil`.
    var kvHeads: Int?
    /// What is left of the hidden size for each head if `nil`.
    var headDim: Int?
    var maxPositions: Int
    var norm = NormSpec.Kind.rms
    var epsilon = 1e-6
    var activation = Activation.silu
    var theta = 10_000.0
    /// Of a head's elements, that turn.
    var turnedShare = 1.0
    var isTied = false
    var keys = DecoderKeys()

    /// Of `LlamaConfig`, and of what was derived from it.
    static let llama = DecoderDefaults(
        vocabularySize: 32_000, hiddenSize: 4096, width: 11_008, layers: 32, heads: 32, maxPositions: 2048)
    /// Of `Qwen2Config`, and of what was derived from it.
    static let qwen = DecoderDefaults(
        vocabularySize: 151_936, hiddenSize: 4096, width: 22_016, layers: 32, heads: 32, kvHeads: 32,
        maxPositions: 32_768)
}
