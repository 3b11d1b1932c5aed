/// What a model of SentencePiece does to text before it looks for pieces: user-defined pieces stay as they are, the longest
/// entry of the table replaces what it stands for, spaces are put before, run together and made visible.
struct SentencePieceNormalizer: Normalizer {
    let rules: SentencePieceFile.Normalization
    let userPieces: ByteTrie?

    static let spaceMark: [UInt8] = [0xE2, 0x96, 0x81]

    func normalize(_ text: [UInt8]) -> [UInt8] {
        text.withUnsafeBufferPointer { text in
            var normalized: [UInt8] = []
            normalized.reserveCapacity(text.count + text.count / 4 + 3)
            let space = rules.escapesSpaces ? Self.spaceMark : [0x20]
            var position = 0
            if rules.removesExtraSpaces {
                while position < text.count {
                    let part = part(of: text, at: position)
                    guard part.text.elementsEqual(CollectionOfOne(0x20)) else { break }
                    position = part.end
                }
            }
            guard position < text.count else { return [] }
            if !rules.putsSpacesBehind, rules.addsDummyPrefix { normalized += space }
            var isAfterSpace = rules.removesExtraSpaces
            while position < text.count {
                let part = part(of: text, at: position)
                let kept = isAfterSpace ? part.text.drop { $0 == 0x20 } : part.text[...]
                for byte in kept { if byte == 0x20 { normalized += space } else { normalized.append(byte) } }
                if let last = kept.last { isAfterSpace = last == 0x20 }
                if !rules.removesExtraSpaces { isAfterSpace = false }
                position = part.end
            }
            if rules.removesExtraSpaces {
                while normalized.suffix(space.count).elementsEqual(space) { normalized.removeLast(space.count) }
            }
            if rules.putsSpacesBehind, rules.addsDummyPrefix { normalized += space }
            return normalized
        }
    }

    /// What stands for the next part of a text, and where that ends.
    private func part(of text: UTF8Text, at position: Int) -> (text: ArraySlice<UInt8>, end: Int) {
        if let userPieces {
            var end = position
            userPieces.forEachPrefix(of: text, from: position) { place, _ in end = place }
            if end > position { return (Array(text[position..<end])[...], end) }
        }
        if let (end, replacement) = rules.map?.longest(in: text, from: position) { return (replacement, end) }
        let end = position + text.scalar(at: position).length
        return (Array(text[position..<end])[...], end)
    }
}
