/// Part of a token on its way through the decoders.
struct TokenFragment {
    /// Well-formed UTF-8.
    var bytes: [UInt8]
    /// Whether the token ends with this fragment.
    var endsToken: Bool
}

/// One decoder at work on one stream of tokens. It passes on what no later token can change, and holds back the rest.
///
/// Whole texts are decoded by the same stages, so that a stream gives the same text.
protocol DecoderStage: Sendable {
    mutating func receive(_ fragment: TokenFragment, into output: inout [TokenFragment])
    /// Passes on what was held back.
    mutating func finish(into output: inout [TokenFragment])
}

extension DecoderStage {
    mutating func finish(into output: inout [TokenFragment]) {}
}

/// Turns tokens into text.
protocol Decoder: Sendable {
    /// Fresh stages, the first decoder's first.
    func stages() -> [any DecoderStage]

    /// How tokens write bytes, if they do.
    var byteNotation: ByteNotation? { get }
}

extension Decoder {
    var byteNotation: ByteNotation? { nil }
}

/// How the tokens of a vocabulary write bytes that may be no text by themselves.
enum ByteNotation: Sendable {
    /// All tokens in GPT-2's alphabet.
    case alphabet
    /// Some as `<0xE2>`.
    case fallback
}

extension ComponentConfiguration {
    func decoder() throws(TokenizerError) -> any Decoder {
        switch try type() {
        case "Sequence": return try DecoderSequence(self)
        case "ByteLevel": return ByteLevelDecoder()
        case "Metaspace": return MetaspaceDecoder(metaspace: try Metaspace(self))
        case "ByteFallback": return ByteFallbackDecoder()
        case "Fuse": return FuseDecoder()
        case "Replace": return ReplaceDecoder(replacement: try Replacement(self))
        case "Strip": return try StripDecoder(self)
        case "WordPiece":
            return WordPieceDecoder(
                prefix: Array((try optionalString("prefix") ?? "##").utf8), cleansUp: try bool("cleanup", default: true)
            )
        case "CTC": return try CTCDecoder(self)
        case "BPEDecoder": return SuffixDecoder(suffix: Array((try optionalString("suffix") ?? "</w>").utf8))
        default: throw try unsupportedType("decoder")
        }
    }
}
