/// Puts a space before every token that does not go on with a word, and takes spaces away again where English has none.
struct WordPieceDecoder: Decoder {
    let prefix: [UInt8]
    let cleansUp: Bool

    func stages() -> [any DecoderStage] { [TokenCompletion(), Stage(decoder: self)] }

    private struct Stage: DecoderStage {
        let decoder: WordPieceDecoder
        private var isFirst = true

        init(decoder: WordPieceDecoder) { self.decoder = decoder }

        mutating func receive(_ fragment: TokenFragment, into output: inout [TokenFragment]) {
            var bytes = fragment.bytes
            if !isFirst {
                if bytes.starts(with: decoder.prefix) {
                    bytes.removeFirst(decoder.prefix.count)
                } else {
                    bytes.insert(0x20, at: 0)
                }
            }
            isFirst = false
            output.append(
                TokenFragment(bytes: decoder.cleansUp ? EnglishSpaces.cleanedUp(bytes) : bytes, endsToken: true))
        }
    }
}

/// Where spaces between tokens are none between words.
enum EnglishSpaces {
    private static let replacements: [(of: [UInt8], by: [UInt8])] = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ].map { (Array($0.utf8), Array($1.utf8)) }

    static func cleanedUp(_ token: [UInt8]) -> [UInt8] {
        guard token.contains(0x20) else { return token }
        return replacements.reduce(token) { token, pair in
            Replacement(pattern: .literal(pair.of), content: pair.by).apply(to: token)
        }
    }
}
