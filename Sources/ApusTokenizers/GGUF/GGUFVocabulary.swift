import ApusCheckpoints
import ApusJSON

/// The tokenizer that a GGUF file carries: `tokenizer.ggml.*` (ggml, docs/gguf.md).
struct GGUFVocabulary {
    private let file: GGUFFile
    let tokens: [String]
    let kinds: [SentencePieceFile.Kind]
    let model: String

    /// `nil` if the file has none. Throws `malformed` or `unsupported`.
    init?(path: String) throws(TokenizerError) {
        let prefix = Self.prefix
        do {
            file = try GGUFFile(path: path)
            guard let model = try file.value(prefix + "model")?.string, model != "no_vocab",
                let list = try file.value(prefix + "tokens")?.array
            else { return nil }
            self.model = model
            var tokens: [String] = []
            tokens.reserveCapacity(list.count)
            for (id, token) in list.enumerated() {
                guard let token = token.string else {
                    throw TokenizerError.malformed("\(path): tokenizer.ggml.tokens[\(id)] is no text")
                }
                tokens.append(token)
            }
            self.tokens = tokens
            let types = try file.value(prefix + "token_type")?.array ?? []
            guard types.isEmpty || types.count == tokens.count else {
                throw TokenizerError.malformed(
                    "\(path): tokenizer.ggml.token_type has \(types.count) elements, but there are \(tokens.count) tokens"
                )
            }
            kinds =
                types.isEmpty
                ? Array(repeating: .normal, count: tokens.count)
                : types.map { $0.integer.flatMap(SentencePieceFile.Kind.init) ?? .normal }
        } catch let error as TokenizerError {
            throw error
        } catch {
            throw .malformed("\(error)")
        }
    }

    private static let prefix = "tokenizer.ggml."

    func value(_ key: String) throws(TokenizerError) -> JSONValue? {
        do { return try file.value(Self.prefix + key) } catch { throw .malformed("\(error)") }
    }

    func name(_ token: String) throws(TokenizerError) -> String? {
        guard let id = try value("\(token)_token_id")?.integer, tokens.indices.contains(id) else { return nil }
        return tokens[id]
    }

    func tokenizer() throws(TokenizerError) -> Tokenizer {
        var settings = TokenizerSettings()
        settings.chatTemplates = ChatTemplates(try templates())
        for (name, theirs) in Self.specialNames {
            if let token = try self.name(theirs) { settings.ownNames[name] = token }
        }
        settings.ends = model == "bert" ? nil : try ends()
        if model == "llama" || model == "t5" { return try pieces().tokenizer(settings) }
        guard let root = try configurationRoot() else {
            throw .unsupported(
                "\(file.path): tokenizer.ggml.model: '\(model)' is not supported; gpt2, llama, t5, bert and gemma4 are")
        }
        return try Tokenizer(configuration(root), settings: settings)
    }

    /// Names of special tokens, and those in the file.
    static let specialNames = [
        ("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"), ("pad_token", "padding"),
        ("sep_token", "seperator"), ("cls_token", "cls"), ("mask_token", "mask"),
    ]

    /// What stands around a text, unless a part of the tokenizer says so.
    func ends() throws(TokenizerError) -> TextEnds {
        let usual: TextEnds
        switch model {
        case "t5": usual = TextEnds(hasBOS: false, hasEOS: true)
        case "bert": return TextEnds()
        case "gpt2":
            let name = try pre
            usual = TextEnds(hasBOS: Self.wholeTexts.contains(name) || GGUFPatterns.named[name]?.addsBOS ?? false)
        default: usual = TextEnds(hasBOS: true)
        }
        return TextEnds(
            hasBOS: try value("add_bos_token")?.bool ?? usual.hasBOS,
            hasEOS: try value("add_eos_token")?.bool ?? usual.hasEOS)
    }

    private var pre: String {
        get throws(TokenizerError) { try value("pre")?.string ?? GGUFPatterns.assumed }
    }

    /// What tokenizer.json would say; `nil` for models of SentencePiece and others that it does not describe.
    func configurationRoot() throws(TokenizerError) -> JSONObject? {
        switch model {
        case "gpt2":
            let name = try pre
            if Self.wholeTexts.contains(name) { return try mergedTexts() }
            guard let patterns = GGUFPatterns.named[name] else {
                throw .unsupported("\(file.path): tokenizer.ggml.pre: '\(name)' is not known")
            }
            return try mergedBytes(patterns)
        case "gemma4": return try mergedTexts()
        case "bert": return try wordPieces()
        default: return nil
        }
    }

    /// Splits nothing but lines, and merges characters, not bytes.
    private static let wholeTexts: Set<String> = ["gemma4", "granite-embed-multi-311m", "sarvam-moe"]

    private func configuration(_ root: JSONObject) throws(TokenizerError) -> ComponentConfiguration {
        try ComponentConfiguration(.object(root), at: "\(file.path): tokenizer.ggml")
    }

    func templates() throws(TokenizerError) -> [(name: String, text: String)] {
        var sources: [(name: String, text: String)] = []
        let key = "tokenizer.chat_template"
        for name in file.keys where name == key || name.hasPrefix(key + ".") {
            do {
                guard let text = try file.value(name)?.string else { continue }
                sources.append((name == key ? "default" : String(name.dropFirst(key.count + 1)), text))
            } catch {
                throw .malformed("\(error)")
            }
        }
        return sources
    }

    // MARK: SentencePiece

    private func pieces() throws(TokenizerError) -> SentencePieceFile {
        let scores = try value("scores")?.array ?? []
        guard scores.isEmpty || scores.count == tokens.count else {
            throw .malformed(
                "\(file.path): tokenizer.ggml.scores has \(scores.count) elements, but there are \(tokens.count) tokens"
            )
        }
        var pieces: [SentencePieceFile.Piece] = []
        pieces.reserveCapacity(tokens.count)
        // Places that nothing is known of are marked so too.
        let unknown = try value("unknown_token_id")?.integer ?? kinds.firstIndex(of: .unknown) ?? 0
        for (id, token) in tokens.enumerated() {
            let score = scores.isEmpty ? 0 : Float(scores[id].double ?? 0)
            let kind = id == unknown ? .unknown : kinds[id] == .unknown ? .unused : kinds[id]
            pieces.append(SentencePieceFile.Piece(text: Array(token.utf8), score: score, kind: kind))
        }
        var normalization = SentencePieceFile.Normalization()
        normalization.addsDummyPrefix = try value("add_space_prefix")?.bool ?? true
        normalization.removesExtraSpaces = try value("remove_extra_whitespaces")?.bool ?? false
        if let map = try value("precompiled_charsmap")?.array {
            normalization.map = CharacterMap(map.map { UInt8(truncatingIfNeeded: $0.integer ?? 0) })
        }
        return try SentencePieceFile(
            pieces: pieces, algorithm: model == "llama" ? .bpe : .unigram, normalization: normalization, at: file.path)
    }

    // MARK: tokenizer.json

    /// What stands beside the vocabulary: control tokens, and those that users have defined.
    var addedTokens: JSONValue {
        .array(
            zip(tokens, kinds).enumerated().compactMap { id, token in
                guard token.1 == .control || token.1 == .user || token.1 == .unknown, !token.0.isEmpty else {
                    return nil
                }
                return [
                    "id": .integer(id), "content": .string(token.0), "single_word": false, "lstrip": false,
                    "rstrip": false, "normalized": false, "special": .bool(token.1 != .user),
                ]
            })
    }

    var vocabulary: JSONValue {
        .object(JSONObject(tokens.enumerated().map { JSONObject.Member(key: $1, value: .integer($0)) }))
    }

    private func mergedBytes(_ patterns: GGUFPatterns) throws(TokenizerError) -> JSONObject {
        var splits: [JSONValue] = patterns.splits.map { split in
            [
                "type": "Split", "pattern": ["Regex": .string(split.pattern)], "behavior": .string(split.behavior),
                "invert": false,
            ]
        }
        splits.append(["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false])
        return [
            "version": "1.0", "added_tokens": addedTokens, "normalizer": .null,
            "pre_tokenizer": ["type": "Sequence", "pretokenizers": .array(splits)], "post_processor": .null,
            "decoder": ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true],
            "model": [
                "type": "BPE", "vocab": vocabulary, "merges": try value("merges") ?? [],
                "ignore_merges": .bool(patterns.ignoresMerges),
            ],
        ]
    }

    private func mergedTexts() throws(TokenizerError) -> JSONObject {
        let unknown = try name("unknown").map { JSONValue.string($0) } ?? .null
        return [
            "version": "1.0", "added_tokens": addedTokens,
            "normalizer": ["type": "Replace", "pattern": ["String": " "], "content": "▁"],
            "pre_tokenizer": [
                "type": "Split", "pattern": ["Regex": #"[^\n]+|[\n]+"#], "behavior": "Isolated", "invert": false,
            ],
            "post_processor": .null,
            "decoder": [
                "type": "Sequence",
                "decoders": [
                    ["type": "Replace", "pattern": ["String": "▁"], "content": " "], ["type": "ByteFallback"],
                    ["type": "Fuse"],
                ],
            ],
            "model": [
                "type": "BPE", "vocab": vocabulary, "merges": try value("merges") ?? [], "byte_fallback": true,
                "fuse_unk": true, "unk_token": unknown,
            ],
        ]
    }

    /// Pieces that begin a word are marked in the file, where BERT marks those that do not.
    private func wordPieces() throws(TokenizerError) -> JSONObject {
        let members = zip(tokens, kinds).enumerated().map { id, token in
            let mark = "▁"
            let text =
                token.1 != .normal
                ? token.0 : token.0.hasPrefix(mark) ? String(token.0.unicodeScalars.dropFirst()) : "##" + token.0
            return JSONObject.Member(key: text, value: .integer(id))
        }
        let unknown = try name("unknown") ?? "[UNK]"
        let (bos, sep) = (try name("bos") ?? "[CLS]", try name("seperator") ?? "[SEP]")
        let cls = try name("cls") ?? bos
        func id(_ token: String) -> JSONValue { .integer(tokens.firstIndex(of: token) ?? 0) }
        return [
            "version": "1.0", "added_tokens": addedTokens,
            "normalizer": [
                "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": true,
                "lowercase": true,
            ],
            "pre_tokenizer": ["type": "BertPreTokenizer"],
            "post_processor": [
                "type": "BertProcessing", "sep": [.string(sep), id(sep)], "cls": [.string(cls), id(cls)],
            ],
            "decoder": ["type": "WordPiece", "prefix": "##", "cleanup": true],
            "model": [
                "type": "WordPiece", "vocab": .object(JSONObject(members)), "unk_token": .string(unknown),
                "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            ],
        ]
    }
}
