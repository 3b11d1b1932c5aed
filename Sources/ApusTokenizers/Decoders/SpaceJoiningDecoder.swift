/// Puts a space between tokens: what a tokenizer without a decoder does.
struct SpaceJoiningDecoder: Decoder {
    func stages() -> [any DecoderStage] { [Stage()] }

    private struct Stage: DecoderStage {
        private var isFirst = true

        mutating func receive(_ fragment: TokenFragment, into output: inout [TokenFragment]) {
            output.append(TokenFragment(bytes: isFirst ? fragment.bytes : [0x20] + fragment.bytes, endsToken: true))
            isFirst = false
        }
    }
}
