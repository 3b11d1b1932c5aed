/// What the Metaspace pre-tokenizer and decoder share: the character that stands for a space.
struct Metaspace: Sendable {
    enum PrependScheme: String {
        case always, never, first
    }

    let replacement: [UInt8]
    let prependScheme: PrependScheme
    let splits: Bool

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        replacement = Array(String(try configuration.scalar("replacement")).utf8)
        splits = try configuration.bool("split", default: true)
        let name = try configuration.optionalString("prepend_scheme")
        guard let scheme = PrependScheme(rawValue: name ?? "always") else {
            throw .unsupported("\(configuration.place): the prepend scheme \"\(name ?? "")\" is not known")
        }
        // Files older than `prepend_scheme` have `add_prefix_space` alone.
        guard try configuration.bool("add_prefix_space", default: true) else {
            guard name == nil || scheme == .never else {
                throw .malformed("\(configuration.place): add_prefix_space contradicts prepend_scheme")
            }
            prependScheme = .never
            return
        }
        prependScheme = scheme
    }
}
