/// What a family calls its weights.
package struct DecoderWeightNames: Sendable, Equatable {
    /// Dotted path to what holds the embedding, the layers and the last norm; empty where they stand at the top.
    package var body = "model"
    package var embedding = "embed_tokens"
    package var layers = "layers"
    package var finalNorm = "norm"
    package var head = "lm_head"
    /// Whether the checkpoint holds one matrix as table and head, under the head's name.
    package var tableIsHead = false
    /// Modules of a layer.
    private var modules: [WeightRole: String] = [
        .attentionNorm: "input_layernorm",
        .query: "self_attn.q_proj", .key: "self_attn.k_proj", .value: "self_attn.v_proj", .output: "self_attn.o_proj",
        .queryNorm: "self_attn.q_norm", .keyNorm: "self_attn.k_norm",
        .mlpNorm: "post_attention_layernorm",
        .gate: "mlp.gate_proj", .up: "mlp.up_proj", .down: "mlp.down_proj",
    ]
    /// Ends of names that checkpoints carry although they are computed, not loaded.
    package var ignoredSuffixes = ["rotary_emb.inv_freq"]

    package init() {}

    subscript(role: WeightRole) -> String {
        get { modules[role] ?? "" }
        set { modules[role] = newValue }
    }

    /// The place of something in the body. A body without a name lies at the top.
    func inBody(_ path: String) -> String { body.isEmpty ? path : "\(body).\(path)" }

    /// The place of the table that tokens are looked up in.
    var table: String { tableIsHead ? head : inBody(embedding) }

    /// The place of a part of a layer.
    func layer(_ index: Int, _ part: String) -> String { inBody("\(layers).\(index).\(part)") }
}
