import ApusCheckpoints

/// Models that see or hear, whose files hold a decoder among others: only that is read.
enum Wrappers {
    /// The `model_type` of the whole, its class, the `model_type` of a decoder that does not say its own, and whether the head
    /// is the table where the whole does not say.
    static let all = [
        (type: "gemma3", name: "Gemma3ForConditionalGeneration", inner: "gemma3_text", isTied: true),
        (type: "gemma4", name: "Gemma4ForConditionalGeneration", inner: "gemma4_text", isTied: true),
        (type: "qwen3_5", name: "Qwen3_5ForConditionalGeneration", inner: "qwen3_5_text", isTied: false),
        (type: "qwen3_5_moe", name: "Qwen3_5MoeForConditionalGeneration", inner: "qwen3_5_moe_text", isTied: false),
        (type: "mistral3", name: "Mistral3ForConditionalGeneration", inner: "mistral", isTied: true),
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
    /// As a wrapper's files have it. What the decoder's own configuration says of its head does not count.
    mutating func wrap(_ config: ConfigurationFile, isTied: Bool) throws(CheckpointError) {
        names.bodies = Wrappers.bodies + names.bodies
        names.heads = Wrappers.heads + names.heads
        names.ignoredPrefixes += Wrappers.ignored
        tiedEmbeddings = try config.optionalBool("tie_word_embeddings") ?? isTied
    }
}
