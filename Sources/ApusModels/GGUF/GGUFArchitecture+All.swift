import ApusJSON

extension GGUFArchitecture {
    private static let gpt2 = [
        "n_embd": "embedding_length", "n_layer": "block_count", "n_head": "attention.head_count",
        "n_positions": "context_length", "n_inner": "feed_forward_length",
    ]

    private static let granite = [
        "logits_scaling": "logit_scale", "residual_multiplier": "residual_scale",
        "embedding_multiplier": "embedding_scale", "attention_multiplier": "attention.scale",
    ]

    /// By `general.architecture`.
    static let all: [String: GGUFArchitecture] = [
        "llama": GGUFArchitecture(modelType: "llama", turnsNeighbours: true),
        "qwen2": GGUFArchitecture(modelType: "qwen2"),
        "qwen2moe": GGUFArchitecture(modelType: "qwen2_moe", signs: ["qkv_bias": Sign("attn_q.bias")]),
        "qwen3": GGUFArchitecture(modelType: "qwen3"),
        "qwen3moe": GGUFArchitecture(modelType: "qwen3_moe", constants: ["norm_topk_prob": true]),
        "gemma": GGUFArchitecture(modelType: "gemma", normsAreWhole: true),
        "gemma2": GGUFArchitecture(
            modelType: "gemma2",
            keys: [
                "attn_logit_softcapping": "attn_logit_softcapping",
                "final_logit_softcapping": "final_logit_softcapping",
            ], layersOfLargest: 46, normsAreWhole: true),
        "gemma3": GGUFArchitecture(modelType: "gemma3_text", layersOfLargest: 62, normsAreWhole: true),
        "phi2": GGUFArchitecture(modelType: "phi"),
        "phi3": GGUFArchitecture(modelType: "phi3"),
        "gpt-oss": GGUFArchitecture(
            modelType: "gpt_oss", signs: ["attention_bias": Sign("attn_q.bias")],
            rotary: ["rope_type": "default", "truncate": false], modules: [.mlpNorm: "post_attention_norm"]),
        "granite": GGUFArchitecture(
            modelType: "granite", keys: granite,
            signs: ["attention_bias": Sign("attn_q.bias"), "mlp_bias": Sign("ffn_up.bias")], turnsNeighbours: true),
        "granitemoe": GGUFArchitecture(
            modelType: "granitemoe", keys: granite, signs: ["attention_bias": Sign("attn_q.bias")],
            turnsNeighbours: true),
        "minicpm": GGUFArchitecture(
            modelType: "granite", keys: granite, required: ["embedding_scale", "residual_scale", "logit_scale"],
            scoreScale: "attention_multiplier", turnsNeighbours: true),
        "smollm3": GGUFArchitecture(modelType: "smollm3", turnsNeighbours: true),
        "olmo": GGUFArchitecture(
            modelType: "olmo", keys: ["clip_qkv": "attention.clamp_kqv"], turnsNeighbours: true),
        "olmo2": GGUFArchitecture(modelType: "olmo2"),
        "olmoe": GGUFArchitecture(modelType: "olmoe", signs: ["attention_bias": Sign("attn_q.bias")]),
        "starcoder2": GGUFArchitecture(modelType: "starcoder2"),
        "command-r": GGUFArchitecture(modelType: "cohere", keys: ["logit_scale": "logit_scale"]),
        "bloom": GGUFArchitecture(
            modelType: "bloom", keys: ["n_layer": "block_count", "n_head": "attention.head_count"]),
        "gpt2": GGUFArchitecture(modelType: "gpt2", keys: gpt2),
    ]
}
