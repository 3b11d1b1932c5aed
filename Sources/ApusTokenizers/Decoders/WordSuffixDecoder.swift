/// Bytes in GPT-2's alphabet, of which a suffix ended each word: a space stands for it, and no white space at the ends. As
/// `CLIPTokenizer` of transformers decodes.
struct WordSuffixDecoder: Decoder {
    let suffix: [UInt8]

    var byteNotation: ByteNotation? { .alphabet }

    func stages() -> [any DecoderStage] {
        ByteLevelDecoder().stages()
            + ReplaceDecoder(replacement: Replacement(pattern: .literal(suffix), content: [0x20])).stages()
            + [TrimmingStage()]
    }

    private struct TrimmingStage: DecoderStage {
        /// White space that is kept if anything else follows; nothing is before the first of it.
        private var held: [UInt8] = []
        private var hasBegun = false

        mutating func receive(_ fragment: TokenFragment, into output: inout [TokenFragment]) {
            let text = fragment.bytes
            let isSpace = { (scalar: Unicode.Scalar) in scalar.isPythonSpace }
            let scalars = String(decoding: text, as: UTF8.self).unicodeScalars
            var kept: [UInt8] = []
            if let last = scalars.lastIndex(where: { !isSpace($0) }) {
                let end = scalars.index(after: last)
                let start = hasBegun ? scalars.startIndex : scalars.firstIndex { !isSpace($0) } ?? scalars.startIndex
                kept = (hasBegun ? held : []) + Array(String(scalars[start..<end]).utf8)
                held = Array(String(scalars[end...]).utf8)
                hasBegun = true
            } else {
                held += text
            }
            output.append(TokenFragment(bytes: kept, endsToken: fragment.endsToken))
        }
    }
}

extension Unicode.Scalar {
    /// What `str.strip()` of Python removes: white space, and the separators of files, groups, records and units.
    fileprivate var isPythonSpace: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }
}
