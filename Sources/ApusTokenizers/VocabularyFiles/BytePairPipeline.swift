import ApusJSON

/// What a class of transformers does to a text for its vocab.json and merges.txt, all of bytes in GPT-2's alphabet.
struct BytePairPipeline {
    /// Named tokens, where no file names others.
    let names: [(name: String, token: String)]
    var normalizer: JSONValue = .null
    /// `nil`: GPT-2's own, which the pre-tokenizer of bytes has.
    var pattern: String?
    /// Whether the pattern's matches are all that is kept of a text.
    var keepsMatchesOnly = false
    var wordSuffix: String?
    var hasUnknown = false
    /// Whether a text stands between the tokens of its start and its end.
    var hasEnds = false

    /// By the name of the class.
    static let published: [String: BytePairPipeline] = {
        let end = "<|endoftext|>"
        let gpt2 = BytePairPipeline(names: [("unk_token", end), ("bos_token", end), ("eos_token", end)])
        let qwen2 = BytePairPipeline(
            names: [("unk_token", end), ("eos_token", end), ("pad_token", end)], normalizer: ["type": "NFC"],
            pattern:
                #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
        )
        let clip = BytePairPipeline(
            names: [("unk_token", end), ("bos_token", "<|startoftext|>"), ("eos_token", end), ("pad_token", end)],
            normalizer: [
                "type": "Sequence",
                "normalizers": [
                    ["type": "NFC"], ["type": "Replace", "pattern": ["Regex": #"\s+"#], "content": " "],
                    ["type": "Lowercase"],
                ],
            ],
            pattern:
                #"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#,
            keepsMatchesOnly: true, wordSuffix: "</w>", hasUnknown: true, hasEnds: true)
        return [
            "GPT2Tokenizer": gpt2, "PreTrainedTokenizer": gpt2, "TokenizersBackend": gpt2, "Qwen2Tokenizer": qwen2,
            "CLIPTokenizer": clip,
        ]
    }()

    func preTokenizer(addsPrefixSpace: Bool) -> JSONValue {
        let bytes: JSONValue = [
            "type": "ByteLevel", "add_prefix_space": .bool(addsPrefixSpace), "trim_offsets": true,
            "use_regex": .bool(pattern == nil || keepsMatchesOnly),
        ]
        guard let pattern else { return bytes }
        let splits: JSONValue = [
            "type": "Split", "pattern": ["Regex": .string(pattern)],
            "behavior": keepsMatchesOnly ? "Removed" : "Isolated", "invert": .bool(keepsMatchesOnly),
        ]
        return ["type": "Sequence", "pretokenizers": [splits, bytes]]
    }
}
