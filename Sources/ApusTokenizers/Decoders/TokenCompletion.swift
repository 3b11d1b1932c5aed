/// Joins the fragments of each token, for a decoder that needs it whole.
struct TokenCompletion: DecoderStage {
    private var held: [UInt8] = []

    mutating func receive(_ fragment: TokenFragment, into output: inout [TokenFragment]) {
        guard fragment.endsToken else {
            held += fragment.bytes
            return
        }
        output.append(held.isEmpty ? fragment : TokenFragment(bytes: held + fragment.bytes, endsToken: true))
        held.removeAll(keepingCapacity: true)
    }
}
