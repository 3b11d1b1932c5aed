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
}
