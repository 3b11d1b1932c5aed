/// The text of SentencePiece's pieces: control pieces are nothing, what is unknown has a text of its own, bytes that are no
/// text become U+FFFD one by one, and the space that was put before a text is taken away again.
struct SentencePieceDecoder: Decoder {
    let kinds: [[UInt8]: SentencePieceFile.Kind]
    let unknownSurface: [UInt8]
    /// Whether spaces before the text are taken away: one, or all.
    let takesFirstSpace: Bool
    let takesAllSpaces: Bool

    init(_ file: SentencePieceFile) {
        let special = file.pieces.filter { [.unknown, .control, .byte].contains($0.kind) }
        kinds = Dictionary(special.map { ($0.text, $0.kind) }) { first, _ in first }
        unknownSurface = file.unknownSurface
        let rules = file.normalization
        takesFirstSpace = rules.addsDummyPrefix || rules.removesExtraSpaces
        takesAllSpaces = rules.removesExtraSpaces
    }

    var byteNotation: ByteNotation? { kinds.values.contains(.byte) ? .fallback : nil }

    func stages() -> [any DecoderStage] { [TokenCompletion(), Stage(decoder: self)] }

    private struct Stage: DecoderStage {
        let decoder: SentencePieceDecoder
        private var repair = UTF8Repair(replacesEachByte: true)
        /// Whether a space before the text may still come.
        private var isAtStart = true
        private var hasTakenSpace = false
        private var hasText = false

        init(decoder: SentencePieceDecoder) { self.decoder = decoder }

        mutating func receive(_ fragment: TokenFragment, into output: inout [TokenFragment]) {
            let kind = decoder.kinds[fragment.bytes]
            var text: [UInt8] = []
            if kind == .byte, let byte = ByteFallbackDecoder.byte(of: fragment.bytes) {
                repair.append(byte, to: &text)
            } else {
                repair.finish(into: &text)
                hasText = hasText || !text.isEmpty
                if hasTakenSpace || hasText { isAtStart = false }
                text += surface(fragment.bytes, kind)
            }
            hasText = hasText || !text.isEmpty
            if !text.isEmpty { output.append(TokenFragment(bytes: text, endsToken: true)) }
        }

        private mutating func surface(_ piece: [UInt8], _ kind: SentencePieceFile.Kind?) -> [UInt8] {
            hasTakenSpace = false
            if kind == .control { return [] }
            if kind == .unknown { return decoder.unknownSurface }
            var rest = piece[...]
            let mark = SentencePieceNormalizer.spaceMark
            if isAtStart, decoder.takesFirstSpace, rest.starts(with: mark) {
                rest = rest.dropFirst(mark.count)
                hasTakenSpace = !decoder.takesAllSpaces
            }
            return Replacement(pattern: .literal(mark), content: [0x20]).apply(to: Array(rest))
        }

        mutating func finish(into output: inout [TokenFragment]) {
            var text: [UInt8] = []
            repair.finish(into: &text)
            if !text.isEmpty { output.append(TokenFragment(bytes: text, endsToken: true)) }
        }
    }
}
