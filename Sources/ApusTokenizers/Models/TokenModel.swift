import ApusJSON

/// Turns the pieces of a text into tokens.
protocol TokenModel: Sendable {
    var vocabulary: Vocabulary { get }

    /// Appends the tokens of each piece of a text to the output.
    func tokenize(_ text: PreTokenizedText, into output: inout [Int])
}

extension ComponentConfiguration {
    /// The model of a tokenizer.json. Files older than its `type` are known by what they have.
    ///
    /// - Parameter isByteLevel: whether the pieces that it gets can be bytes, not yet written in GPT-2's alphabet.
    func tokenModel(isByteLevel: Bool) throws(TokenizerError) -> any TokenModel {
        switch try optionalString("type") ?? impliedModelType {
        case "BPE": return try BytePairModel(self, isByteLevel: isByteLevel)
        case "WordPiece": return try WordPieceModel(self)
        case "WordLevel": return try WordLevelModel(self)
        case "Unigram": return try UnigramModel(self)
        default: throw try unsupportedType("model")
        }
    }

    private var impliedModelType: String {
        if has("merges") { return "BPE" }
        if value["vocab"]?.array != nil { return "Unigram" }
        return has("max_input_chars_per_word") ? "WordPiece" : "WordLevel"
    }

    /// Tokens and their ids: an object.
    func vocabulary() throws(TokenizerError) -> Vocabulary {
        let member = try member("vocab")
        guard let entries = member.object else { throw mismatch("vocab", member, expected: "an object") }
        var vocabulary = Vocabulary(capacity: entries.count)
        for entry in entries {
            guard let integer = entry.value.integer, let id = UInt32(exactly: integer) else {
                throw .malformed(
                    "\(place).vocab: the id of \"\(entry.key.excerpt)\" must be an integer from 0 to 4294967295")
            }
            var token = entry.key
            token.withUTF8 { vocabulary.insert($0, id: id) }
        }
        return vocabulary
    }

    /// The token for words that there is none for. Throws `malformed` if the vocabulary lacks it: a text with such a word
    /// could not be encoded.
    func unknownToken(in vocabulary: Vocabulary, default usual: String) throws(TokenizerError) -> UInt32 {
        let token = try optionalString("unk_token") ?? usual
        guard let id = vocabulary.id(for: Array(token.utf8)) else {
            throw .malformed(
                "\(place): the vocabulary lacks \"\(token.excerpt)\", the token for words that there is none for")
        }
        return id
    }
}
