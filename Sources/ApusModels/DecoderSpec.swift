package import ApusCompute

/// How a family of decoder-only transformers differs from another, as data.
package struct DecoderSpec: Sendable, Equatable {
    package var vocabularySize: Int
    package var hiddenSize: Int
    package var intermediateSize: Int
    package var layers: Int
    package var heads: Int
    package var kvHeads: Int
    package var headDim: Int
    package var normEpsilon: Float
    package var activation: Activation
    package var attentionBias: Bool
    package var mlpBias: Bool
    /// The output projection is the embedding table.
    package var tiedEmbeddings: Bool
    package var rotary: RotarySpec
    /// Positions that the model was trained for. Longer sequences run, as with transformers.
    package var maxPositions: Int
    package var names: DecoderWeightNames

    package var attentionScale: Float { 1 / Float(headDim).squareRoot() }
}

/// What a family calls its weights.
package struct DecoderWeightNames: Sendable, Equatable {
    /// Dotted path to what holds the embedding, the layers and the last norm.
    package var body = "model"
    package var embedding = "embed_tokens"
    package var layers = "layers"
    package var finalNorm = "norm"
    package var head = "lm_head"
    package var attentionNorm = "input_layernorm"
    package var query = "self_attn.q_proj"
    package var key = "self_attn.k_proj"
    package var value = "self_attn.v_proj"
    package var output = "self_attn.o_proj"
    package var mlpNorm = "post_attention_layernorm"
    package var gate = "mlp.gate_proj"
    package var up = "mlp.up_proj"
    package var down = "mlp.down_proj"
    /// Ends of names that checkpoints carry although they are computed, not loaded.
    package var ignoredSuffixes = ["rotary_emb.inv_freq"]

    package init() {}
}
