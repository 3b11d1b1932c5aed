/// Byte-pair encoding (Sennrich et al., https://aclanthology.org/P16-1162), over characters or over bytes.
final class BytePairModel: TokenModel {
    let vocabulary: Vocabulary
    let merges: MergeTable
    let options: Options

    /// The token of each single scalar.
    let scalarTokens: ScalarTokens
    /// The tokens `<0x00>` to `<0xFF>`, for characters that have none.
    let fallbackTokens: [UInt32?]
    /// The tokens of single bytes in GPT-2's alphabet; `nil` for a model that reads characters.
    let byteTokens: [UInt32?]?
    /// Whole words by their bytes, where a model of bytes takes them before any merge.
    let byteWords: Vocabulary?
    /// Whether no token crosses the start of a word marked by `▁`, so that words can be merged one by one.
    let startsWordsAtSpaceMark: Bool

    let words = WordMemory()

    struct Options: Sendable {
        var unknownToken: UInt32?
        var fusesUnknown = false
        var fallsBackToBytes = false
        var ignoresMerges = false
        var continuingPrefix: [UInt8] = []
        var wordSuffix: [UInt8] = []

        /// Whether a symbol depends on its place in the word.
        var marksPlaces: Bool { !continuingPrefix.isEmpty || !wordSuffix.isEmpty }
    }

    /// - Parameters:
    ///   - readsBytes: whether the pieces that it gets are bytes, not yet written in GPT-2's alphabet.
    ///   - byteWords: the words of the vocabulary by their bytes, if they are known.
    init(
        vocabulary: Vocabulary, merges: MergeTable, options: Options, readsBytes: Bool, byteWords: Vocabulary? = nil
    ) {
        self.vocabulary = vocabulary
        self.merges = merges
        self.options = options
        scalarTokens = ScalarTokens(vocabulary)
        fallbackTokens = ByteTokens(vocabulary).tokens
        if readsBytes {
            byteTokens = ByteAlphabet.scalars.map { [scalarTokens] in scalarTokens[$0] }
            self.byteWords = options.ignoresMerges ? byteWords ?? Self.wordsByBytes(vocabulary) : nil
        } else {
            byteTokens = nil
            self.byteWords = nil
        }
        startsWordsAtSpaceMark =
            !options.marksPlaces && !options.ignoresMerges && !readsBytes
            && scalarTokens[0x2581] != nil && !vocabulary.crossesSpaceMark
    }

    /// A model of bytes works on bytes directly unless an option asks for the characters of the alphabet.
    static func canReadBytes(_ options: Options) -> Bool { !options.marksPlaces && !options.fallsBackToBytes }

    private static func wordsByBytes(_ vocabulary: Vocabulary) -> Vocabulary {
        var words = Vocabulary(capacity: vocabulary.count)
        vocabulary.withEachToken { token, id in
            guard let bytes = ByteAlphabet.decode(token) else { return }
            bytes.withUnsafeBufferPointer { words.insert($0, id: id) }
        }
        return words
    }
}
