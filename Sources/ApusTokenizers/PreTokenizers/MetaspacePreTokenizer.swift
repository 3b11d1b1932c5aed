/// Writes spaces as a visible character and cuts before each.
struct MetaspacePreTokenizer: PreTokenizer {
    let metaspace: Metaspace

    func preTokenize(_ text: inout PreTokenizedText) {
        let replacement = metaspace.replacement
        let isAtStart = text.isAtStart
        text.rewrite { piece, number, rewritten in
            let startsWithIt = piece.first == 0x20 || piece.starts(with: replacement)
            let prepends =
                switch metaspace.prependScheme {
                case .always: true
                case .first: isAtStart && number == 0
                case .never: false
                }
            if prepends, !startsWithIt { rewritten.append(contentsOf: replacement) }
            for byte in piece {
                if byte == 0x20 { rewritten.append(contentsOf: replacement) } else { rewritten.append(byte) }
            }
        }
        guard metaspace.splits else { return }
        let pattern = TextPattern.literal(replacement)
        text.split(.mergedWithNext) { text, piece, report in pattern.forEachMatch(in: text, part: piece, report) }
    }
}
