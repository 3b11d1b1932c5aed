/// Replaces every match of a pattern in each token.
struct ReplaceDecoder: Decoder {
    let replacement: Replacement

    func stages() -> [any DecoderStage] {
        if case .literal(let literal) = replacement.pattern, literal.scalars.count == 1 {
            // One character lies in one fragment, so that nothing has to wait for the token's end.
            return [Stage(replacement: replacement)]
        }
        return [TokenCompletion(), Stage(replacement: replacement)]
    }

    private struct Stage: DecoderStage {
        let replacement: Replacement

        mutating func receive(_ fragment: TokenFragment, into output: inout [TokenFragment]) {
            output.append(
                TokenFragment(bytes: replacement.apply(to: fragment.bytes), endsToken: fragment.endsToken))
        }
    }
}
