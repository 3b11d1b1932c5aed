import ApusJSON

/// What llama.cpp's converter calls a family, and what it does to its weights.
struct GGUFArchitecture {
    /// In transformers.
    let modelType: String
    /// Keys of its configuration, and those of the file that have their values.
    var keys: [String: String] = [:]
    /// What the file does not say.
    var constants: JSONObject = [:]
    /// Names of modules that are its own.
    var modules: [WeightRole: String] = [:]
    /// Whether rows of queries and keys are put so that neighbours turn together.
    var turnsNeighbours = false
    /// Of Gemma's models, how many layers the largest has, whose scores are divided by another number.
    var layersOfLargest: Int?
    /// Whether weights of norms have what is added to them in transformers.
    var normsAreWhole = false

    static let modules: [WeightRole: String] = [
        .embedding: "token_embd", .positions: "position_embd", .embeddingNorm: "token_embd_norm",
        .finalNorm: "output_norm", .attentionNorm: "attn_norm", .query: "attn_q", .key: "attn_k", .value: "attn_v",
        .output: "attn_output", .queryNorm: "attn_q_norm", .keyNorm: "attn_k_norm",
        .attentionAfterNorm: "post_attention_norm", .mlpNorm: "ffn_norm", .mlpAfterNorm: "post_ffw_norm",
        .gate: "ffn_gate", .up: "ffn_up", .down: "ffn_down", .router: "ffn_gate_inp",
        .sharedRouter: "ffn_gate_inp_shexp", .expertGate: "ffn_gate_exps", .expertUp: "ffn_up_exps",
        .expertDown: "ffn_down_exps", .sharedGate: "ffn_gate_shexp", .sharedUp: "ffn_up_shexp",
        .sharedDown: "ffn_down_shexp",
    ]

    private static let gpt2 = [
        "n_embd": "embedding_length", "n_layer": "block_count", "n_head": "attention.head_count",
        "n_positions": "context_length", "n_inner": "feed_forward_length",
    ]

    /// Where a file of the Llama kind has experts.
    static let mixtral = GGUFArchitecture(modelType: "mixtral", turnsNeighbours: true)

    /// By `general.architecture`.
    static let all: [String: GGUFArchitecture] = [
        "llama": GGUFArchitecture(modelType: "llama", turnsNeighbours: true),
        "qwen2": GGUFArchitecture(modelType: "qwen2"),
        "qwen3": GGUFArchitecture(modelType: "qwen3"),
        "qwen3moe": GGUFArchitecture(
            modelType: "qwen3_moe", constants: ["norm_topk_prob": true]),
        "gemma": GGUFArchitecture(modelType: "gemma", normsAreWhole: true),
        "gemma2": GGUFArchitecture(
            modelType: "gemma2",
            keys: [
                "attn_logit_softcapping": "attn_logit_softcapping",
                "final_logit_softcapping": "final_logit_softcapping",
            ], layersOfLargest: 46, normsAreWhole: true),
        "gemma3": GGUFArchitecture(modelType: "gemma3_text", layersOfLargest: 62, normsAreWhole: true),
        "phi3": GGUFArchitecture(modelType: "phi3"),
        "granite": GGUFArchitecture(
            modelType: "granite",
            keys: [
                "logits_scaling": "logit_scale", "residual_multiplier": "residual_scale",
                "embedding_multiplier": "embedding_scale", "attention_multiplier": "attention.scale",
            ], turnsNeighbours: true),
        "smollm3": GGUFArchitecture(modelType: "smollm3", turnsNeighbours: true),
        "olmo": GGUFArchitecture(
            modelType: "olmo", keys: ["clip_qkv": "attention.clamp_kqv"], turnsNeighbours: true),
        "olmo2": GGUFArchitecture(modelType: "olmo2"),
        "starcoder2": GGUFArchitecture(modelType: "starcoder2"),
        "command-r": GGUFArchitecture(modelType: "cohere", keys: ["logit_scale": "logit_scale"]),
        "bloom": GGUFArchitecture(
            modelType: "bloom", keys: ["n_layer": "block_count", "n_head": "attention.head_count"]),
        "gpt2": GGUFArchitecture(modelType: "gpt2", keys: gpt2),
        "phi2": GGUFArchitecture(modelType: "phi"),
    ]
}
