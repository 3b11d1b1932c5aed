import ApusJSON

/// What llama.cpp's converter calls a family, and what it does to its weights.
struct GGUFArchitecture {
    /// In transformers.
    let modelType: String
    /// The family where the file names a window, if that is another.
    var windowed: String?
    /// Keys of its configuration, and those of the file that have their values. A dot leads into an object.
    var keys: [String: String] = [:]
    /// Keys of its configuration that are integers, where files have floats.
    var integers: Set<String> = []
    /// Whether its configuration may say how large a head is.
    var hasHeadSize = true
    /// Keys of the file that count for so much that one without them is refused.
    var required: [String] = []
    /// Keys whose values hang on whether layers have a tensor.
    var signs: [String: Sign] = [:]
    /// What counts where the file says nothing.
    var constants: JSONObject = [:]
    /// The same of its rotary scaling.
    var rotary: JSONObject = [:]
    /// The key of how much of each head turns.
    var turnedShare = "partial_rotary_factor"
    /// The key of what scores are multiplied with, where that is the usual and the family's default another.
    var scoreScale: String?
    /// What layers without heads of keys have in the place of attention.
    var otherLayers: String?
    /// Names of modules that are its own.
    var modules: [WeightRole: String] = [:]
    /// Those of models whose layers have a tensor.
    var modulesBeside: (tensor: String, modules: [WeightRole: String])?
    /// What stands in the place of attention, as one matrix.
    var mixer: (parts: [WeightRole], module: String, output: String)?
    /// Whether rows of queries and keys are put so that neighbours turn together.
    var turnsNeighbours = false
    /// Of Gemma's models, how many layers the largest has, whose scores are divided by another number.
    var layersOfLargest: Int?
    /// Whether weights of norms have what is added to them in transformers.
    var normsAreWhole = false

    /// What a key says where a tensor is, and where it is not.
    struct Sign {
        let tensor: String
        let present: JSONValue
        let absent: JSONValue

        init(_ tensor: String, _ present: JSONValue = true, else absent: JSONValue = false) {
            (self.tensor, self.present, self.absent) = (tensor, present, absent)
        }
    }

    static let modules: [WeightRole: String] = [
        .embedding: "token_embd", .positions: "position_embd", .embeddingNorm: "token_embd_norm",
        .finalNorm: "output_norm", .attentionNorm: "attn_norm", .query: "attn_q", .key: "attn_k", .value: "attn_v",
        .output: "attn_output", .queryNorm: "attn_q_norm", .keyNorm: "attn_k_norm", .sinks: "attn_sinks",
        .attentionAfterNorm: "post_attention_norm", .mlpNorm: "ffn_norm", .mlpAfterNorm: "post_ffw_norm",
        .gate: "ffn_gate", .up: "ffn_up", .down: "ffn_down", .router: "ffn_gate_inp",
        .sharedRouter: "ffn_gate_inp_shexp", .expertGate: "ffn_gate_exps", .expertUp: "ffn_up_exps",
        .expertDown: "ffn_down_exps", .sharedGate: "ffn_gate_shexp", .sharedUp: "ffn_up_shexp",
        .sharedDown: "ffn_down_shexp",
    ]

    /// Where a file of the Llama kind has experts.
    static let mixtral = GGUFArchitecture(modelType: "mixtral", turnsNeighbours: true)
}
