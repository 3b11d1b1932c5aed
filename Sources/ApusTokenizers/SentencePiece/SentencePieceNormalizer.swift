/// What a model of SentencePiece does to text before it looks for pieces: user-defined pieces stay as they are, the longest
/// entry of the table replaces what it stands for, spaces are put before, run together and made visible.
struct SentencePieceNormalizer: Normalizer {
    private let rules: SentencePieceFile.Normalization
    private let userPieces: ByteTrie?
    /// Bytes that stand for themselves wherever they are.
    private let isPlain: [Bool]

    static let spaceMark: [UInt8] = [0xE2, 0x96, 0x81]

    init(rules: SentencePieceFile.Normalization, userPieces: ByteTrie?) {
        self.rules = rules
        self.userPieces = userPieces
        isPlain = (0...UInt8.max).map { byte in
            byte < 0x80 && byte != 0x20 && userPieces?.begins(with: byte) != true
                && rules.map?.begins(with: byte) != true
        }
    }

    func normalize(_ text: [UInt8]) -> [UInt8] {
        text.withUnsafeBufferPointer { text in
            var normalized: [UInt8] = []
            normalized.reserveCapacity(text.count + text.count / 2 + 3)
            let space = rules.escapesSpaces ? Self.spaceMark : [0x20]
            var position = 0
            if rules.removesExtraSpaces {
                while position < text.count {
                    let part = part(of: text, at: position)
                    guard isSpace(part, in: text, at: position) else { break }
                    position = part.end
                }
            }
            guard position < text.count else { return [] }
            if !rules.putsSpacesBehind, rules.addsDummyPrefix { normalized += space }
            var isAfterSpace = rules.removesExtraSpaces
            func append(_ bytes: some Sequence<UInt8>) {
                // Spaces behind a space go.
                var isLeading = isAfterSpace
                for byte in bytes {
                    if byte != 0x20 {
                        normalized.append(byte)
                        isLeading = false
                    } else if !isLeading {
                        normalized += space
                    } else {
                        continue
                    }
                    isAfterSpace = byte == 0x20 && rules.removesExtraSpaces
                }
            }
            while position < text.count {
                if isPlain[Int(text[position])] {
                    normalized.append(text[position])
                    isAfterSpace = false
                    position += 1
                    continue
                }
                let part = part(of: text, at: position)
                if let replacement = part.replacement { append(replacement) } else { append(text[position..<part.end]) }
                position = part.end
            }
            if rules.removesExtraSpaces {
                while normalized.suffix(space.count).elementsEqual(space) { normalized.removeLast(space.count) }
            }
            if rules.putsSpacesBehind, rules.addsDummyPrefix { normalized += space }
            return normalized
        }
    }

    /// Where the next part of a text ends, and what stands for it if that is something else.
    @inline(__always)
    private func part(of text: UTF8Text, at position: Int) -> (replacement: ArraySlice<UInt8>?, end: Int) {
        if let userPieces {
            var end = position
            userPieces.forEachPrefix(of: text, from: position) { place, _ in end = place }
            if end > position { return (nil, end) }
        }
        if let (end, replacement) = rules.map?.longest(in: text, from: position) { return (replacement, end) }
        return (nil, position + text.scalar(at: position).length)
    }

    private func isSpace(
        _ part: (replacement: ArraySlice<UInt8>?, end: Int), in text: UTF8Text, at position: Int
    ) -> Bool {
        if let replacement = part.replacement { return replacement.elementsEqual(CollectionOfOne(0x20)) }
        return part.end == position + 1 && text[position] == 0x20
    }
}
