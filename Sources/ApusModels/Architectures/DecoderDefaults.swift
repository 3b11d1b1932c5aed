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
    var epsilon = 1e-6
    var theta = 10_000.0
    var isTied = false

    /// Of `LlamaConfig`, and of what was derived from it.
    static let llama = DecoderDefaults(
        vocabularySize: 32_000, hiddenSize: 4096, width: 11_008, layers: 32, heads: 32, maxPositions: 2048)
    /// Of `Qwen2Config`, and of what was derived from it.
    static let qwen = DecoderDefaults(
        vocabularySize: 151_936, hiddenSize: 4096, width: 22_016, layers: 32, heads: 32, kvHeads: 32,
        maxPositions: 32_768)
}
