/// A decoder's stages at work on one stream of tokens.
struct DecoderPipeline: Sendable {
    private var stages: [any DecoderStage]

    init(_ decoder: any Decoder) { stages = decoder.stages() }

    /// Takes a token; appends the text that is settled by it.
    mutating func append(_ token: [UInt8], to text: inout [UInt8]) {
        push([TokenFragment(bytes: token, endsToken: true)], from: 0, to: &text)
    }

    mutating func finish(into text: inout [UInt8]) {
        for index in stages.indices {
            var fragments: [TokenFragment] = []
            stages[index].finish(into: &fragments)
            push(fragments, from: index + 1, to: &text)
        }
    }

    private mutating func push(_ fragments: [TokenFragment], from first: Int, to text: inout [UInt8]) {
        var fragments = fragments
        for index in stages.indices.dropFirst(first) {
            var output: [TokenFragment] = []
            for fragment in fragments { stages[index].receive(fragment, into: &output) }
            fragments = output
        }
        for fragment in fragments { text += fragment.bytes }
    }
}
