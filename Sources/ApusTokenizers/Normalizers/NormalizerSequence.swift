/// Several normalizers, one after the other.
struct NormalizerSequence: Normalizer {
    let normalizers: [any Normalizer]

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        var normalizers: [any Normalizer] = []
        for component in try configuration.components("normalizers") { normalizers.append(try component.normalizer()) }
        self.normalizers = normalizers
    }

    func normalize(_ text: [UInt8]) -> [UInt8] { normalizers.reduce(text) { $1.normalize($0) } }
}
