import ApusCheckpoints

/// Models that see or hear, whose files hold a decoder among others: only that is read.
enum Wrappers {
    /// The `model_type` of the whole, its class, and the `model_type` of a decoder that does not say its own.
    static let all = [
        (type: "gemma3", name: "Gemma3ForConditionalGeneration", inner: "gemma3_text"),
        (type: "gemma4", name: "Gemma4ForConditionalGeneration", inner: "gemma4_text"),
        (type: "qwen3_5", name: "Qwen3_5ForConditionalGeneration", inner: "qwen3_5_text"),
        (type: "qwen3_5_moe", name: "Qwen3_5MoeForConditionalGeneration", inner: "qwen3_5_moe_text"),
        (type: "mistral3", name: "Mistral3ForConditionalGeneration", inner: "mistral"),
    ]

    /// Places of the decoder's body and head, as they are saved today and as they once were.
    static let bodies = ["model.language_model", "language_model.model"]
    static let heads = ["lm_head", "language_model.lm_head"]
    /// What is not read.
    static let ignored = [
        "vision_tower.", "multi_modal_projector.", "model.vision_tower.", "model.multi_modal_projector.",
        "audio_tower.", "model.audio_tower.", "embed_vision.", "model.embed_vision.", "embed_audio.",
        "model.embed_audio.", "visual.", "model.visual.",
    ]
}

extension DecoderSpec {
    /// As a wrapper's files have it.
    mutating func wrap(_ config: ConfigurationFile, inner: ConfigurationFile) throws(CheckpointError) {
        names.bodies = Wrappers.bodies + names.bodies
        names.heads = Wrappers.heads + names.heads
        names.ignoredPrefixes += Wrappers.ignored
        if inner["tie_word_embeddings"] == nil, let isTied = try config.optionalBool("tie_word_embeddings") {
            tiedEmbeddings = isTied
        }
    }
}
