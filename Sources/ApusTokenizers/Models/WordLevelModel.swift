/// A token for each word.
struct WordLevelModel: TokenModel {
    let vocabulary: Vocabulary
    private let unknown: UInt32

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        vocabulary = try configuration.vocabulary()
        unknown = try configuration.unknownToken(in: vocabulary, default: "<unk>")
    }

    func tokenize(_ text: PreTokenizedText, into output: inout [Int]) {
        text.bytes.withUnsafeBufferPointer { bytes in
            for piece in text.pieces {
                output.append(Int(vocabulary.id(for: UnsafeBufferPointer(rebasing: bytes[piece])) ?? unknown))
            }
        }
    }
}
