/// The longest token that a word begins with, and so on behind it; one unknown token for a word that has none somewhere
/// (Wu et al., arXiv 1609.08144, as BERT has it).
final class WordPieceModel: TokenModel {
    let vocabulary: Vocabulary
    private let trie: ByteTrie
    private let unknown: UInt32
    /// Where tokens stand that go on with a word; `nil` if there are none.
    private let continuing: ByteTrie.Node?
    /// Longer words are unknown as a whole.
    private let mostScalars: Int

    convenience init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        let vocabulary = try configuration.vocabulary()
        let most = configuration.optional("max_input_chars_per_word")
        self.init(
            vocabulary, unknown: try configuration.unknownToken(in: vocabulary, default: "[UNK]"),
            continuingPrefix: try configuration.optionalString("continuing_subword_prefix") ?? "##",
            mostScalars: most == nil ? 100 : Int(try configuration.natural("max_input_chars_per_word")))
    }

    init(_ vocabulary: Vocabulary, unknown: UInt32, continuingPrefix: String, mostScalars: Int) {
        self.vocabulary = vocabulary
        self.unknown = unknown
        self.mostScalars = mostScalars
        trie = ByteTrie(vocabulary)
        var prefix = continuingPrefix
        continuing = prefix.withUTF8 { [trie] in trie.node(behind: $0) }
    }

    func tokenize(_ text: PreTokenizedText, into output: inout [Int]) {
        text.bytes.withUnsafeBufferPointer { bytes in
            for piece in text.pieces { append(UnsafeBufferPointer(rebasing: bytes[piece]), to: &output) }
        }
    }

    private func append(_ word: UTF8Text, to output: inout [Int]) {
        let before = output.count
        var start = 0
        while start < word.count {
            var found: (end: Int, id: UInt32)?
            if let node = start == 0 ? trie.root : continuing {
                trie.forEachPrefix(of: word, from: start, at: node) { found = ($0, $1) }
            }
            guard let found, word.count <= mostScalars || isShort(word) else {
                output.removeLast(output.count - before)
                return output.append(Int(unknown))
            }
            output.append(Int(found.id))
            start = found.end
        }
    }

    private func isShort(_ word: UTF8Text) -> Bool { word.count { $0 & 0xC0 != 0x80 } <= mostScalars }
}
