/// Cuts where the script changes, as SentencePiece does. What belongs to no script goes with what is before it; before the
/// first of any it is lost, as in the reference.
struct ScriptsPreTokenizer: PreTokenizer {
    func preTokenize(_ text: inout PreTokenizedText) {
        text.split { text, piece, pieces in
            var last: UInt8 = 0
            var start = piece.upperBound
            var position = piece.lowerBound
            while position < piece.upperBound {
                let (scalar, length) = text.scalar(at: position)
                let script = ScalarClasses.writingSystems[scalar]
                if script != 0, script != last {
                    if last != 0 { pieces.append(start..<position) }
                    start = position
                    last = script
                }
                position += length
            }
            if last != 0 { pieces.append(start..<position) }
        }
    }
}
