import ApusJSON

/// Rewrites text before it is split.
protocol Normalizer: Sendable {
    /// Takes and gives well-formed UTF-8.
    func normalize(_ text: [UInt8]) -> [UInt8]
}

extension ComponentConfiguration {
    func normalizer() throws(TokenizerError) -> any Normalizer {
        switch try type() {
        case "Sequence": return try NormalizerSequence(self)
        case "Prepend": return PrependNormalizer(prefix: Array(try string("prepend").utf8))
        case "Replace": return ReplaceNormalizer(replacement: try Replacement(self))
        case "NFC": return UnicodeNormalizer(composes: true, isCompatible: false)
        case "NFD": return UnicodeNormalizer(composes: false, isCompatible: false)
        case "NFKC": return UnicodeNormalizer(composes: true, isCompatible: true)
        case "NFKD": return UnicodeNormalizer(composes: false, isCompatible: true)
        case "Lowercase": return LowercaseNormalizer()
        case "Strip":
            return StripNormalizer(stripsLeft: try bool("strip_left"), stripsRight: try bool("strip_right"))
        case "BertNormalizer": return try BertNormalizer(self)
        case "StripAccents": return StripAccentsNormalizer()
        case "Nmt": return NmtNormalizer()
        case "Precompiled": return try PrecompiledNormalizer(self)
        case "ByteLevel": return ByteLevelNormalizer()
        default: throw try unsupportedType("normalizer")
        }
    }
}
