/// Cuts into pieces of so many scalars.
struct FixedLengthPreTokenizer: PreTokenizer {
    let length: Int

    func preTokenize(_ text: inout PreTokenizedText) {
        text.split { text, piece, pieces in
            var start = piece.lowerBound
            while start < piece.upperBound {
                var end = start
                for _ in 0..<length where end < piece.upperBound { end += text.scalar(at: end).length }
                pieces.append(start..<end)
                start = end
            }
        }
    }
}
