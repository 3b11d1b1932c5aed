/// Several decoders, one after the other.
struct DecoderSequence: Decoder {
    let decoders: [any Decoder]

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        var decoders: [any Decoder] = []
        for component in try configuration.components("decoders") { decoders.append(try component.decoder()) }
        self.decoders = decoders
    }

    var byteNotation: ByteNotation? {
        let notations = decoders.compactMap(\.byteNotation)
        return notations.contains(.fallback) ? .fallback : notations.first
    }

    func stages() -> [any DecoderStage] { decoders.flatMap { $0.stages() } }
}
