import ApusJSON

/// What tokenizer_config.json and special_tokens_map.json say beside tokenizer.json.
struct TokenizerSettings: Sendable {
    var bosToken: String?
    var eosToken: String?
    var padToken: String?
    var unkToken: String?
    var paddingSide = Tokenizer.Side.right

    init() {}

    /// - Parameters:
    ///   - configuration: tokenizer_config.json, whose tokens count first.
    ///   - specialTokens: special_tokens_map.json.
    init(configuration: JSONValue?, specialTokens: JSONValue?) {
        func token(_ key: String) -> String? {
            for source in [configuration, specialTokens] {
                guard let value = source?[key] else { continue }
                // A token is written as its text or as an object with its properties.
                if let text = value.string ?? value["content"]?.string { return text }
            }
            return nil
        }
        bosToken = token("bos_token")
        eosToken = token("eos_token")
        padToken = token("pad_token")
        unkToken = token("unk_token")
        if let side = configuration?["padding_side"]?.string.flatMap(Tokenizer.Side.init(rawValue:)) {
            paddingSide = side
        }
    }
}
