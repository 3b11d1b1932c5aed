/// Runs of word characters and runs of other visible characters: `\w+|[^\w\s]+`.
struct WhitespacePreTokenizer: PreTokenizer {
    func preTokenize(_ text: inout PreTokenizedText) {
        let mask = ScalarClasses.rustWord | ScalarClasses.rustSpace
        text.split { text, piece, pieces in
            var position = piece.lowerBound
            while position < piece.upperBound {
                let kind = ScalarClasses.rust[text.scalar(at: position).value] & mask
                let end = text.end(ofRunFrom: position, upTo: piece.upperBound) {
                    ScalarClasses.rust[$0] & mask == kind
                }
                if kind & ScalarClasses.rustSpace == 0 { pieces.append(position..<end) }
                position = end
            }
        }
    }
}
