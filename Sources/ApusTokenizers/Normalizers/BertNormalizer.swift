/// What BERT does to text: drops what is no character, puts spaces around Chinese ones, strips accents, lowers case.
struct BertNormalizer: Normalizer {
    private let cleansText: Bool
    private let separatesHan: Bool
    private let stripsAccents: Bool
    private let lowers: Bool

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        let lowers = try configuration.bool("lowercase", default: true)
        self.init(
            cleansText: try configuration.bool("clean_text", default: true),
            separatesHan: try configuration.bool("handle_chinese_chars", default: true),
            stripsAccents: try configuration.bool("strip_accents", default: lowers), lowers: lowers)
    }

    init(cleansText: Bool, separatesHan: Bool, stripsAccents: Bool, lowers: Bool) {
        self.cleansText = cleansText
        self.separatesHan = separatesHan
        self.stripsAccents = stripsAccents
        self.lowers = lowers
    }

    func normalize(_ text: [UInt8]) -> [UInt8] {
        var text = text
        if cleansText { text = text.mappingScalars(Self.clean) }
        if separatesHan { text = text.mappingScalars(Self.separate) }
        if stripsAccents {
            text = UnicodeNormalizer(composes: false, isCompatible: false).normalize(text).mappingScalars {
                scalar, text in
                if !ScalarClasses.rust.contains(ScalarClasses.rustNonspacing, scalar) { text.append(scalar: scalar) }
            }
        }
        return lowers ? LowercaseNormalizer().normalize(text) : text
    }

    private static func clean(_ scalar: UInt32, _ text: inout [UInt8]) {
        if ScalarClasses.rust.contains(ScalarClasses.rustUnseen, scalar) { return }
        let isSpace = ScalarClasses.rust.contains(ScalarClasses.rustSpace, scalar)
        text.append(scalar: isSpace ? 0x20 : scalar)
    }

    private static func separate(_ scalar: UInt32, _ text: inout [UInt8]) {
        let isHan = isHan(scalar)
        if isHan { text.append(0x20) }
        text.append(scalar: scalar)
        if isHan { text.append(0x20) }
    }

    /// The blocks that BERT's own code names; it begins the last but two 256 code points late.
    private static func isHan(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B81F,
            0x2B920...0x2CEAF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}
