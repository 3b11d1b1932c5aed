/// An added token with the number that a file gives it.
///
/// The number only orders tokens: as in the reference, an added token keeps the id that the vocabulary has for it, or
/// takes the next free one.
struct NumberedToken: Sendable {
    let number: Int
    let token: AddedToken
}

extension ComponentConfiguration {
    /// The `added_tokens` of a tokenizer.json.
    func numberedTokens() throws(TokenizerError) -> [NumberedToken] {
        guard optional("added_tokens") != nil else { return [] }
        var tokens: [NumberedToken] = []
        for entry in try components("added_tokens") {
            tokens.append(NumberedToken(number: Int(try entry.natural("id")), token: try AddedToken(entry)))
        }
        return tokens
    }
}
