/// Writes the suffix that marks the end of a word as a space, and as nothing in the last token. (`BPEDecoder` in files.)
struct SuffixDecoder: Decoder {
    let suffix: [UInt8]

    func stages() -> [any DecoderStage] { [TokenCompletion(), Stage(suffix: suffix)] }

    private struct Stage: DecoderStage {
        let suffix: [UInt8]
        /// The latest token, which may be the last.
        private var held: [UInt8]?

        init(suffix: [UInt8]) { self.suffix = suffix }

        mutating func receive(_ fragment: TokenFragment, into output: inout [TokenFragment]) {
            if let held { output.append(TokenFragment(bytes: replaced(held, by: [0x20]), endsToken: true)) }
            held = fragment.bytes
        }

        mutating func finish(into output: inout [TokenFragment]) {
            if let held { output.append(TokenFragment(bytes: replaced(held, by: []), endsToken: true)) }
            held = nil
        }

        private func replaced(_ token: [UInt8], by content: [UInt8]) -> [UInt8] {
            token.withUnsafeBufferPointer { text in
                var replaced: [UInt8] = []
                var copied = 0
                TextPattern.literal(suffix).forEachMatch(in: text, part: 0..<text.count) { match in
                    replaced += text[copied..<match.lowerBound]
                    replaced += content
                    copied = match.upperBound
                }
                return replaced + text[copied...]
            }
        }
    }
}
