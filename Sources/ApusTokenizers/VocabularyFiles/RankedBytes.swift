import ApusJSON

/// Tokens of bytes by their ranks: of two neighbours that together are a token, those of the lowest rank are joined first
/// (https://github.com/openai/tiktoken). Every byte is a token, or no text could be encoded.
struct RankedBytes {
    private let tokens: [[UInt8]]

    /// - Parameter tokens: one for each rank, all different.
    /// - Throws: `malformed` if a byte is no token.
    init(_ tokens: [[UInt8]], at place: String) throws(TokenizerError) {
        var bytes: Set<UInt8> = []
        for token in tokens where token.count == 1 { bytes.insert(token[0]) }
        if let missing = (UInt8.min...UInt8.max).first(where: { !bytes.contains($0) }) {
            throw .malformed("\(place) has no token for the byte \(missing)")
        }
        self.tokens = tokens
    }

    /// - Parameters:
    ///   - pattern: how texts are split.
    ///   - offset: the id of rank 0.
    ///   - placed: tokens beside those, by their ids.
    func tokenizer(
        pattern: String, at place: String, offset: UInt32, placed: [NumberedToken], _ settings: TokenizerSettings
    ) throws(TokenizerError) -> Tokenizer {
        let model = model(offset: offset)
        let splits: JSONValue = [
            "type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": "Isolated", "invert": false,
        ]
        return Tokenizer(
            normalizer: nil, preTokenizer: try ComponentConfiguration(splits, at: place).preTokenizer(), model: model,
            postProcessor: PostProcessor(), decoder: ByteLevelDecoder(),
            added: AddedVocabulary(
                placed: placed, [settings.declared.additions(to: placed)], model: model.vocabulary, normalizer: nil,
                splitsSpecialTokens: settings.splitsSpecialTokens),
            settings: settings)
    }

    private func model(offset: UInt32) -> BytePairModel {
        var ranks = Vocabulary(capacity: tokens.count)
        var words = Vocabulary(capacity: tokens.count)
        var alphabetic = Vocabulary(capacity: tokens.count)
        for (rank, token) in tokens.enumerated() {
            let id = UInt32(clamping: rank) &+ offset
            token.withUnsafeBufferPointer {
                ranks.insert($0, id: UInt32(clamping: rank))
                words.insert($0, id: id)
            }
            ByteAlphabet.encode(token).withUnsafeBufferPointer { alphabetic.insert($0, id: id) }
        }
        var merges: [(left: UInt32, right: UInt32, rank: UInt32)] = []
        for (rank, token) in tokens.enumerated() {
            token.withUnsafeBufferPointer { token in
                for cut in 1..<max(token.count, 1) {
                    guard let left = ranks.id(for: UnsafeBufferPointer(rebasing: token[..<cut])),
                        let right = ranks.id(for: UnsafeBufferPointer(rebasing: token[cut...]))
                    else { continue }
                    merges.append((left, right, UInt32(clamping: rank)))
                }
            }
        }
        var table = MergeTable(capacity: merges.count)
        for merge in merges {
            table.insert(
                merge.left &+ offset, merge.right &+ offset, rank: merge.rank, id: merge.rank &+ offset)
        }
        var options = BytePairModel.Options()
        options.ignoresMerges = true
        return BytePairModel(
            vocabulary: alphabetic, merges: table, options: options, readsBytes: true, byteWords: words)
    }
}
