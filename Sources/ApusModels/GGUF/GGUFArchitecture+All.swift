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
        "glm4": GGUFArchitecture(
            modelType: "glm4", signs: ["attention_bias": Sign("attn_q.bias")],
            constants: ["partial_rotary_factor": 1]),
        "exaone": GGUFArchitecture(modelType: "exaone"),
        "exaone4": GGUFArchitecture(modelType: "exaone4", constants: ["sliding_window": nil]),
        "stablelm": GGUFArchitecture(
            modelType: "stablelm",
            signs: [
                "use_qkv_bias": Sign("attn_q.bias"), "qk_layernorm": Sign("attn_q_norm.weight"),
                "use_parallel_residual": Sign("ffn_norm.weight", false, else: true),
            ], constants: ["partial_rotary_factor": 1]),
        "gptneox": GGUFArchitecture(
            modelType: "gpt_neox",
            keys: ["use_parallel_residual": "use_parallel_residual", "rotary_emb_base": "rope.freq_base"],
            signs: ["attention_bias": Sign("attn_qkv.bias")], constants: ["rotary_pct": 1], turnedShare: "rotary_pct"),
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
        "olmo2": GGUFArchitecture(modelType: "olmo2", windowed: "olmo3"),
        "olmoe": GGUFArchitecture(modelType: "olmoe", signs: ["attention_bias": Sign("attn_q.bias")]),
        "starcoder2": GGUFArchitecture(modelType: "starcoder2"),
        "command-r": GGUFArchitecture(modelType: "cohere", keys: ["logit_scale": "logit_scale"]),
        "cohere2": GGUFArchitecture(modelType: "cohere2", keys: ["logit_scale": "logit_scale"]),
        "nemotron": GGUFArchitecture(
            modelType: "nemotron", keys: ["norm_eps": "attention.layer_norm_epsilon"],
            signs: ["attention_bias": Sign("attn_q.bias"), "mlp_bias": Sign("ffn_up.bias")],
            constants: ["partial_rotary_factor": 1], normsAreWhole: true),
        "falcon": GGUFArchitecture(
            modelType: "falcon", keys: ["num_kv_heads": "attention.head_count_kv"], hasHeadSize: false,
            signs: [
                "num_ln_in_parallel_attn": Sign("attn_norm_2.weight", 2, else: 1), "bias": Sign("attn_qkv.bias"),
            ], constants: ["new_decoder_architecture": true],
            modulesBeside: ("attn_norm_2.weight", [.attentionNorm: "attn_norm_2", .mlpNorm: "attn_norm"])),
        "internlm2": GGUFArchitecture(
            modelType: "internlm2", signs: ["bias": Sign("attn_q.bias")], turnsNeighbours: true),
        "lfm2": GGUFArchitecture(
            modelType: "lfm2",
            keys: ["norm_eps": "attention.layer_norm_rms_epsilon", "conv_L_cache": "shortconv.l_cache"],
            signs: ["conv_bias": Sign("shortconv.conv.bias")], constants: ["block_auto_adjust_ff_dim": false],
            otherLayers: "conv",
            modules: [.finalNorm: "token_embd_norm", .convolution: "shortconv.conv"],
            mixer: (
                [.convolutionGate, .convolutionOutputGate, .convolutionInput], "shortconv.in_proj", "shortconv.out_proj"
            )),
        "ernie4_5": GGUFArchitecture(modelType: "ernie4_5", signs: ["use_bias": Sign("attn_q.bias")]),
        "hunyuan-dense": GGUFArchitecture(
            modelType: "hunyuan_v1_dense", signs: ["attention_bias": Sign("attn_q.bias")]),
        "seed_oss": GGUFArchitecture(
            modelType: "seed_oss",
            signs: [
                "attention_bias": Sign("attn_q.bias"), "attention_out_bias": Sign("attn_output.bias"),
                "mlp_bias": Sign("ffn_up.bias"),
            ], modules: [.mlpNorm: "post_attention_norm"]),
        "bloom": GGUFArchitecture(
            modelType: "bloom", keys: ["n_layer": "block_count", "n_head": "attention.head_count"]),
        "gpt2": GGUFArchitecture(modelType: "gpt2", keys: gpt2),
        "mpt": GGUFArchitecture(
            modelType: "mpt",
            keys: [
                "d_model": "embedding_length", "n_layers": "block_count", "n_heads": "attention.head_count",
                "max_seq_len": "context_length", "attn_config.clip_qkv": "attention.clamp_kqv",
                "attn_config.alibi_bias_max": "attention.max_alibi_bias",
            ], integers: ["attn_config.alibi_bias_max"]),
    ]
}
