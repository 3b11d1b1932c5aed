import ApusJSON

/// What the files beside a vocabulary say: tokenizer_config.json, special_tokens_map.json and added_tokens.json.
struct TokenizerSettings: Sendable {
    var declared = DeclaredTokens()
    /// `nil` where no file says.
    var paddingSide: Tokenizer.Side?
    /// Whether special tokens that stand in a text are text like any other.
    var splitsSpecialTokens = false
    /// Tokens that the vocabulary's own file names, where no other does: they are no part of a text.
    var ownNames: [String: String] = [:]
    /// Control tokens of the vocabulary's own file that no text contains, but a chat template does.
    var controls: [NumberedToken] = []
    var chatTemplates = ChatTemplates([])
    /// `nil` where the tokenizer's own template counts.
    var ends: TextEnds?

    init() {}

    /// - Parameter configuresEnds: whether `add_bos_token` and `add_eos_token` of tokenizer_config.json count. In the
    ///   reference they do not beside a tokenizer.json, which has a template, except in special_tokens_map.json.
    init(_ files: DeclaringFiles, configuresEnds: Bool) throws(TokenizerError) {
        declared = try DeclaredTokens(files)
        let splits = "split_special_tokens"
        splitsSpecialTokens = try files.file(for: splits)?.bool(splits, default: false) ?? false
        paddingSide = try files.file(for: "padding_side")?.side("padding_side")
        func end(_ key: String) throws(TokenizerError) -> Bool? {
            guard let file = configuresEnds ? files.file(for: key) : files.specialTokensMap, file.has(key) else {
                return nil
            }
            return try file.bool(key, default: false)
        }
        let (bos, eos) = (try end("add_bos_token"), try end("add_eos_token"))
        if bos != nil || eos != nil { ends = TextEnds(hasBOS: bos ?? false, hasEOS: eos ?? false) }
    }

    /// Takes the `padding` of a tokenizer.json for what no other file says.
    mutating func takeDefaults(ofPadding padding: ComponentConfiguration) throws(TokenizerError) {
        if declared.standard["pad_token"] == nil, let text = try padding.optionalString("pad_token") {
            declared.standard.updateValue(TokenDeclaration(text: text), forKey: "pad_token")
        }
        if paddingSide == nil { paddingSide = try padding.side("direction") }
    }
}

extension ComponentConfiguration {
    fileprivate func side(_ key: String) throws(TokenizerError) -> Tokenizer.Side? {
        guard let text = try optionalString(key) else { return nil }
        guard let side = Tokenizer.Side(rawValue: text.lowercased()) else {
            throw .malformed("\(place).\(key) must be \"left\" or \"right\", not \(text.quoted)")
        }
        return side
    }
}
