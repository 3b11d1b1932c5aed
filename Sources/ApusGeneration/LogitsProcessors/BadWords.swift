/// Forbids the last token of each sequence whose others are the last tokens so far.
package struct BadWords: LogitsProcessor {
    private let words: [[Int]]

    /// - Parameter eosTokenIDs: words of one such token do not count, as in transformers.
    package init(_ words: [[Int]], eosTokenIDs: [Int]) {
        self.words = words.filter { word in !(word.count == 1 && eosTokenIDs.contains(word[0])) }
    }

    package func process(_ logits: inout MutableSpan<Float>, _ history: TokenHistory) {
        for word in words where word.count <= history.tokens.count || word.count == 1 {
            guard let last = word.last, last >= 0, last < logits.count,
                history.tokens.suffix(word.count - 1).elementsEqual(word.dropLast())
            else { continue }
            logits[last] = -.infinity
        }
    }
}
