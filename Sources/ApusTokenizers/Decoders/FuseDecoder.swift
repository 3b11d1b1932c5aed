/// Joins all tokens into one.
struct FuseDecoder: Decoder {
    func stages() -> [any DecoderStage] { [Stage()] }

    private struct Stage: DecoderStage {
        mutating func receive(_ fragment: TokenFragment, into output: inout [TokenFragment]) {
            output.append(TokenFragment(bytes: fragment.bytes, endsToken: false))
        }

        mutating func finish(into output: inout [TokenFragment]) {
            output.append(TokenFragment(bytes: [], endsToken: true))
        }
    }
}
