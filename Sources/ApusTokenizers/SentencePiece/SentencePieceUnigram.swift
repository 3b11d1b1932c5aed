/// SentencePiece's Unigram: scores are summed in 32 bits from the start of a text on, and pieces of users have a score of
/// their own that lets them win.
final class SentencePieceUnigram: TokenModel {
    let vocabulary: Vocabulary
    private let trie: ByteTrie
    private let scores: [Float]
    private let unknownScore: Float
    private let fallback: SentencePieceFallback

    private static let unknownPenalty: Float = 10

    init(_ file: SentencePieceFile, _ vocabulary: Vocabulary, _ fallback: SentencePieceFallback) {
        self.vocabulary = vocabulary
        self.fallback = fallback
        trie = ByteTrie(vocabulary) { id in ![.normal, .user].contains(file.pieces[Int(id)].kind) }
        scores = file.pieces.map { $0.kind == .user ? 0.1 * (Float($0.text.count) - 1) : $0.score }
        let normal = file.pieces.filter { $0.kind == .normal }.map(\.score)
        unknownScore = (normal.min() ?? 0) - Self.unknownPenalty
    }

    func tokenize(_ text: PreTokenizedText, into output: inout [Int]) {
        text.bytes.withUnsafeBufferPointer { bytes in
            for range in text.pieces {
                let piece = UnsafeBufferPointer(rebasing: bytes[range])
                var path = UnigramPath<Float>(length: piece.count)
                path.find(in: piece, trie, scores, unknown: fallback.unknown, unknownScore: unknownScore)
                for part in path.pieces(fusing: fallback.unknown) {
                    if part.id == fallback.unknown {
                        fallback.append(UnsafeBufferPointer(rebasing: piece[part.range]), to: &output)
                    } else {
                        output.append(Int(part.id))
                    }
                }
            }
        }
    }
}

/// What becomes of what no piece stands for: its bytes, or one unknown token for neighbours.
struct SentencePieceFallback: Sendable {
    let unknown: UInt32
    /// By their values, if there are such pieces.
    let bytes: [UInt32]?

    init(_ file: SentencePieceFile, _ vocabulary: Vocabulary) {
        unknown = UInt32(file.pieces.firstIndex { $0.kind == .unknown } ?? 0)
        let all = ByteTokens(vocabulary).tokens.compactMap { $0 }
        bytes = file.fallsBackToBytes && all.count == 256 ? all : nil
    }

    func append(_ text: UTF8Text, to output: inout [Int]) {
        guard let bytes else { return output.append(Int(unknown)) }
        for byte in text { output.append(Int(bytes[Int(byte)])) }
    }
}
