import ApusJSON

/// The vocabulary files of older checkpoints, which say nothing of what is done to a text: that stands in the code of the
/// class that transformers has for them. Here it is written as a tokenizer.json would have it.
struct VocabularyLists {
    let files: TokenizerFiles
    let configuration: ComponentConfiguration?
    private(set) var settings: TokenizerSettings

    init(_ files: TokenizerFiles, _ configuration: ComponentConfiguration?, _ settings: TokenizerSettings) {
        self.files = files
        self.configuration = configuration
        self.settings = settings
    }

    /// vocab.json and merges.txt; `nil` where one of them does not exist.
    func bytePairs() throws(TokenizerError) -> Tokenizer? {
        guard let vocabulary = try files.object("vocab.json"), let merges = try files.lines("merges.txt") else {
            return nil
        }
        let numbered = merges.enumerated().filter { !$0.element.isEmpty && !$0.element.hasPrefix("#version") }
        let lines = numbered.map(\.element)
        var model: JSONObject = ["type": "BPE", "vocab": vocabulary.value, "merges": .array(lines.map { .string($0) })]
        let named = try configuration?.optionalString("tokenizer_class") ?? "GPT2Tokenizer"
        let name = named.hasSuffix("Fast") ? String(named.dropLast(4)) : named
        guard let pipeline = BytePairPipeline.published[name] else {
            throw .unsupported(
                "\(files.directory): the vocab.json and merges.txt of a \(named) need its tokenizer.json, which is not there"
            )
        }
        var settings = settings
        for (name, token) in pipeline.names { settings.declare(name, as: token) }
        if pipeline.hasEnds, settings.ends == nil { settings.ends = TextEnds(hasBOS: true, hasEOS: true) }
        if let suffix = pipeline.wordSuffix { model.append("end_of_word_suffix", .string(suffix)) }
        if pipeline.hasUnknown, let unknown = settings.declared.content(of: "unk_token") {
            model.append("unk_token", .string(unknown))
        }
        let addsSpace = try configuration?.bool("add_prefix_space", default: false) ?? false
        let root: JSONValue = [
            "model": .object(model), "normalizer": pipeline.normalizer,
            "pre_tokenizer": pipeline.preTokenizer(addsPrefixSpace: addsSpace),
        ]
        let decoder: any Decoder =
            pipeline.wordSuffix.map { WordSuffixDecoder(suffix: Array($0.utf8)) } ?? ByteLevelDecoder()
        do {
            return try Tokenizer(
                ComponentConfiguration(root, at: files.path("vocab.json")), settings: settings, decoder: decoder)
        } catch {
            for (index, line) in numbered { try check(line, index + 1, vocabulary) }
            throw error
        }
    }

    /// Throws what is wrong with a line of merges.txt.
    private func check(
        _ line: String, _ number: Int, _ vocabulary: ComponentConfiguration
    ) throws(TokenizerError) {
        let place = "\(files.path("merges.txt")): line \(number)"
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw .malformed("\(place) must be two tokens") }
        for token in [String(parts[0]), String(parts[1]), parts.joined()] where vocabulary.optional(token) == nil {
            throw .malformed("\(place) needs the token \(token.quoted), which the vocabulary lacks")
        }
    }

    /// vocab.txt; `nil` where it does not exist.
    func wordPieces() throws(TokenizerError) -> Tokenizer? {
        guard let lines = try files.lines("vocab.txt") else { return nil }
        var settings = settings
        for (name, token) in [
            ("unk_token", "[UNK]"), ("sep_token", "[SEP]"), ("pad_token", "[PAD]"), ("cls_token", "[CLS]"),
            ("mask_token", "[MASK]"),
        ] { settings.declare(name, as: token) }
        var members: [JSONObject.Member] = []
        var places: [ExactString: Int] = [:]
        for (id, line) in lines.enumerated() {
            let token = line.withoutTrailingWhiteSpace
            // Of lines with one token, the last counts.
            if let place = places[ExactString(token)] {
                members[place] = JSONObject.Member(key: token, value: .integer(id))
            } else {
                places[ExactString(token)] = members.count
                members.append(JSONObject.Member(key: token, value: .integer(id)))
            }
        }
        let place = files.path("vocab.txt")
        func end(_ name: String) throws(TokenizerError) -> JSONValue {
            let token = settings.declared.content(of: name) ?? ""
            guard let index = places[ExactString(token)] else {
                throw .malformed("\(place) lacks \(token.quoted), the \(name) of texts")
            }
            return [.string(token), members[index].value]
        }
        func option(_ key: String, default usual: Bool?) throws(TokenizerError) -> JSONValue {
            guard let configuration, configuration.optional(key) != nil else { return usual.map { .bool($0) } ?? .null }
            return .bool(try configuration.bool(key))
        }
        let unknown = settings.declared.content(of: "unk_token") ?? "[UNK]"
        let root: JSONValue = [
            "model": [
                "type": "WordPiece", "vocab": .object(JSONObject(members)), "unk_token": .string(unknown),
                "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            ],
            "normalizer": [
                "type": "BertNormalizer", "clean_text": true,
                "handle_chinese_chars": try option("tokenize_chinese_chars", default: true),
                "strip_accents": try option("strip_accents", default: nil),
                "lowercase": try option("do_lower_case", default: true),
            ],
            "pre_tokenizer": ["type": "BertPreTokenizer"],
            "post_processor": [
                "type": "BertProcessing", "sep": try end("sep_token"), "cls": try end("cls_token"),
            ],
            "decoder": ["type": "WordPiece", "prefix": "##", "cleanup": true],
        ]
        return try Tokenizer(ComponentConfiguration(root, at: place), settings: settings)
    }
}

extension TokenizerSettings {
    /// A token that a class has where no file says otherwise.
    fileprivate mutating func declare(_ name: String, as token: String) {
        if declared.standard[name] == nil {
            declared.standard.updateValue(TokenDeclaration(text: token), forKey: name)
        }
    }
}

extension String {
    /// As Rust's `trim_end`.
    fileprivate var withoutTrailingWhiteSpace: String {
        var scalars = unicodeScalars[...]
        while let last = scalars.last, last.properties.isWhitespace { scalars = scalars.dropLast() }
        return String(scalars)
    }
}
