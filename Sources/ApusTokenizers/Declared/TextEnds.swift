/// What `add_bos_token` and `add_eos_token` ask to have around every text, whatever the tokenizer's template.
struct TextEnds: Sendable, Equatable {
    var hasBOS = false
    var hasEOS = false
}
