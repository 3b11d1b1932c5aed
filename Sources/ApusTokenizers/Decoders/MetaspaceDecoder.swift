/// Writes the visible character as a space again; in the first token it is left out if it was put there.
struct MetaspaceDecoder: Decoder {
    let metaspace: Metaspace

    func stages() -> [any DecoderStage] { [Stage(metaspace: metaspace)] }

    private struct Stage: DecoderStage {
        let metaspace: Metaspace
        private var isFirstToken = true

        init(metaspace: Metaspace) { self.metaspace = metaspace }

        mutating func receive(_ fragment: TokenFragment, into output: inout [TokenFragment]) {
            let space: [UInt8] = isFirstToken && metaspace.prependScheme != .never ? [] : [0x20]
            let replaced = fragment.bytes.withUnsafeBufferPointer { text in
                var replaced: [UInt8] = []
                var copied = 0
                TextPattern.literal(metaspace.replacement).forEachMatch(in: text, part: 0..<text.count) { match in
                    replaced += text[copied..<match.lowerBound]
                    replaced += space
                    copied = match.upperBound
                }
                replaced += text[copied...]
                return replaced
            }
            output.append(TokenFragment(bytes: replaced, endsToken: fragment.endsToken))
            if fragment.endsToken { isFirstToken = false }
        }
    }
}
