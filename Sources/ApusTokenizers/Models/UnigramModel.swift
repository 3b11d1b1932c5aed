import ApusJSON

/// The tokens of a piece whose scores have the largest sum (Kudo, https://aclanthology.org/P18-1007), found from its start
/// on as SentencePiece's and tokenizers' `encode_optimized` do: a way gives way only to a strictly better one.
final class UnigramModel: TokenModel {
    let vocabulary: Vocabulary
    private let trie: ByteTrie
    /// By ids.
    private let scores: [Double]
    private let unknown: UInt32
    /// Of one unknown character: below that of any token.
    private let unknownScore: Double
    /// The tokens `<0x00>` to `<0xFF>`, in whose place unknown characters would otherwise stand as one token.
    private let bytes: [UInt32]?
    private let words = WordMemory()

    private static let unknownPenalty = 10.0

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        for key in ["alpha", "nbest_size"] {
            if let value = configuration.optional(key), value.double != 0 {
                throw .unsupported("\(configuration.place): \(key) is for training; only null or 0 can be used here")
            }
        }
        let entries = try configuration.array("vocab")
        var vocabulary = Vocabulary(capacity: entries.count)
        var scores: [Double] = []
        scores.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            guard let pair = entry.array, pair.count == 2, var token = pair[0].string, let score = pair[1].double else {
                throw .malformed("\(configuration.place).vocab[\(index)] must be a token and its score")
            }
            token.withUTF8 { vocabulary.insert($0, id: UInt32(clamping: index)) }
            scores.append(score)
        }
        guard configuration.optional("unk_id") != nil else {
            throw .unsupported("\(configuration.place): without unk_id, a text with an unknown character has no tokens")
        }
        unknown = try configuration.natural("unk_id")
        guard Int(unknown) < scores.count else {
            throw .malformed("\(configuration.place): unk_id is \(unknown), beyond \(scores.count) tokens")
        }
        self.vocabulary = vocabulary
        self.scores = scores
        unknownScore = (scores.min() ?? 0) - Self.unknownPenalty
        trie = ByteTrie(vocabulary)
        let tokens = ByteTokens(vocabulary)
        let all = tokens.tokens.compactMap { $0 }
        bytes = try configuration.bool("byte_fallback", default: false) && all.count == 256 ? all : nil
    }

    func tokenize(_ text: PreTokenizedText, into output: inout [Int]) {
        words.tokenize(text, into: &output) { word, tokens in
            var path = UnigramPath<Double>(length: word.count)
            path.find(in: word, trie, scores, unknown: unknown, unknownScore: unknownScore)
            append(path, of: word, to: &tokens)
        }
    }

    /// Neighbouring unknowns are one piece, which is a token after all if the vocabulary has it.
    private func append(_ path: UnigramPath<Double>, of word: UTF8Text, to tokens: inout [UInt32]) {
        for piece in path.pieces(fusing: unknown) {
            if piece.id != unknown {
                tokens.append(piece.id)
            } else if let id = vocabulary.id(for: UnsafeBufferPointer(rebasing: word[piece.range])) {
                tokens.append(id)
            } else if let bytes {
                for byte in word[piece.range] { tokens.append(bytes[Int(byte)]) }
            } else {
                tokens.append(unknown)
            }
        }
    }
}
