import ApusJSON

/// The files that may declare tokens and options beside the one with the vocabulary.
struct DeclaringFiles {
    /// tokenizer_config.json.
    let configuration: ComponentConfiguration?
    /// The `added_tokens_decoder` of tokenizer_config.json.
    let listedTokens: ComponentConfiguration?
    /// special_tokens_map.json and added_tokens.json, which are not read where tokenizer_config.json lists the added
    /// tokens: they are left from an older version then.
    let specialTokensMap: ComponentConfiguration?
    let addedTokens: ComponentConfiguration?

    /// - Parameter file: reads one of them by its name; `nil` where it does not exist.
    init(reading file: (String) throws(TokenizerError) -> ComponentConfiguration?) throws(TokenizerError) {
        configuration = try file("tokenizer_config.json")
        listedTokens = try configuration?.optionalComponent("added_tokens_decoder")
        specialTokensMap = listedTokens == nil ? try file("special_tokens_map.json") : nil
        addedTokens = listedTokens == nil ? try file("added_tokens.json") : nil
    }

    /// The file whose word on a key counts, be it null: special_tokens_map.json goes before tokenizer_config.json.
    func file(for key: String) -> ComponentConfiguration? {
        [specialTokensMap, configuration].lazy.compactMap { $0 }.first { $0.has(key) }
    }

    /// What a token under a key is, whatever an object says itself: special_tokens_map.json holds special ones alone.
    func isSpecial(_ key: String) -> Bool? { specialTokensMap?.has(key) == true ? true : nil }
}
