/// SentencePiece's BPE: of all neighbours that a piece is written as, the one with the best score becomes that piece, the
/// leftmost of equals; pieces of users never become part of another; pieces that are not used are taken apart again.
final class SentencePieceBPE: TokenModel {
    let vocabulary: Vocabulary
    private let kinds: [SentencePieceFile.Kind]
    private let scores: [Float]
    private let userPieces: ByteTrie?
    private let fallback: SentencePieceFallback
    private let words = WordMemory()
    /// Whether no piece crosses the start of a word, so that words can be merged one by one. How a piece that is not used is
    /// taken apart, any word of the text decides.
    private let startsWordsAtSpaceMark: Bool

    init(
        _ file: SentencePieceFile, _ vocabulary: Vocabulary, _ fallback: SentencePieceFallback, userPieces: ByteTrie?
    ) {
        self.vocabulary = vocabulary
        self.fallback = fallback
        self.userPieces = userPieces
        kinds = file.pieces.map(\.kind)
        scores = file.pieces.map(\.score)
        startsWordsAtSpaceMark = !vocabulary.crossesSpaceMark && !kinds.contains(.unused)
    }

    func tokenize(_ text: PreTokenizedText, into output: inout [Int]) {
        let start = output.count
        var cut = text
        if startsWordsAtSpaceMark {
            cut.split { text, piece, pieces in text.forEachMarkedWord(in: piece) { pieces.append($0) } }
        }
        words.tokenize(cut, into: &output) { word, tokens in append(word, to: &tokens) }
        if fallback.bytes == nil { fuseUnknowns(of: &output, from: start) }
    }

    /// Neighbours that are unknown are one token, across words too.
    private func fuseUnknowns(of output: inout [Int], from start: Int) {
        let unknown = Int(fallback.unknown)
        guard output[start...].contains(unknown) else { return }
        var kept = start
        for index in start..<output.count
        where index == start || output[index] != unknown || output[index - 1] != unknown {
            output[kept] = output[index]
            kept += 1
        }
        output.removeLast(output.count - kept)
    }

    private func append(_ word: UTF8Text, to tokens: inout [UInt32]) {
        var merger = PieceMerger(word, piece: mergeable)
        var position = 0
        while position < word.count {
            var end = position
            userPieces?.forEachPrefix(of: word, from: position) { place, _ in end = place }
            let isFrozen = end > position
            if !isFrozen { end = position + word.scalar(at: position).length }
            merger.append(position..<end, isFrozen: isFrozen)
            position = end
        }
        merger.merge()
        for range in merger.pieces { append(range, of: word, merger, to: &tokens) }
    }

    /// The score of the piece that a text is, if it can be merged into, and whether it is one that is not used.
    private func mergeable(_ text: UTF8Text) -> (score: Float, isUnused: Bool)? {
        guard let id = vocabulary.id(for: text) else { return nil }
        switch kinds[Int(id)] {
        case .normal, .user: return (scores[Int(id)], false)
        case .unused: return (scores[Int(id)], true)
        case .unknown, .control, .byte: return nil
        }
    }

    private func append(_ range: Range<Int>, of word: UTF8Text, _ merger: PieceMerger, to tokens: inout [UInt32]) {
        let text = UnsafeBufferPointer(rebasing: word[range])
        if let id = vocabulary.id(for: text), kinds[Int(id)] != .unknown {
            if kinds[Int(id)] == .unused, let middle = merger.splits[Array(text)] {
                append(range.lowerBound..<range.lowerBound + middle, of: word, merger, to: &tokens)
                append(range.lowerBound + middle..<range.upperBound, of: word, merger, to: &tokens)
            } else {
                tokens.append(id)
            }
        } else {
            var ids: [Int] = []
            fallback.append(text, to: &ids)
            for id in ids { tokens.append(UInt32(truncatingIfNeeded: id)) }
        }
    }
}
