extension Vocabulary {
    /// Whether a token has `▁` after another character.
    var crossesSpaceMark: Bool {
        var crosses = false
        withEachToken { token, _ in
            guard token.count > 3, !crosses else { return }
            for position in 1..<token.count - 2 where token.isSpaceMark(at: position) {
                if position < 3 || !token.isSpaceMark(at: position - 3) { crosses = true }
            }
        }
        return crosses
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether `▁` (U+2581) stands at a position that has two bytes after it.
    @inline(__always)
    func isSpaceMark(at position: Int) -> Bool {
        self[position] == 0xE2 && self[position + 1] == 0x96 && self[position + 2] == 0x81
    }

    /// The words of a part of a text, each of which but the first begins with a run of `▁`.
    @inline(__always)
    func forEachMarkedWord(in part: Range<Int>, _ body: (Range<Int>) -> Void) {
        var start = part.lowerBound
        var position = start + 1
        while position < part.upperBound - 2 {
            if isSpaceMark(at: position), position < start + 3 || !isSpaceMark(at: position - 3) {
                body(start..<position)
                start = position
                position += 3
            } else {
                position += 1
            }
        }
        body(start..<part.upperBound)
    }
}
