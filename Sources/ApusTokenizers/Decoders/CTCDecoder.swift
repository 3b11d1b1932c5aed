/// What connectionist temporal classification leaves: tokens once each, without padding, and a delimiter as a space.
struct CTCDecoder: Decoder {
    let padding: [UInt8]
    let delimiter: [UInt8]
    let cleansUp: Bool

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        padding = Array((try configuration.optionalString("pad_token") ?? "<pad>").utf8)
        delimiter = Array((try configuration.optionalString("word_delimiter_token") ?? "|").utf8)
        cleansUp = try configuration.bool("cleanup", default: true)
    }

    func stages() -> [any DecoderStage] { [TokenCompletion(), Stage(decoder: self)] }

    private struct Stage: DecoderStage {
        let decoder: CTCDecoder
        private var last: [UInt8]?

        init(decoder: CTCDecoder) { self.decoder = decoder }

        mutating func receive(_ fragment: TokenFragment, into output: inout [TokenFragment]) {
            guard fragment.bytes != last else { return }
            last = fragment.bytes
            var bytes = Replacement(pattern: .literal(decoder.padding), content: []).apply(to: fragment.bytes)
            if decoder.cleansUp {
                bytes = Replacement(pattern: .literal(decoder.delimiter), content: [0x20])
                    .apply(to: EnglishSpaces.cleanedUp(bytes))
            }
            if !bytes.isEmpty { output.append(TokenFragment(bytes: bytes, endsToken: true)) }
        }
    }
}
