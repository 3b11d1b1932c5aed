/// A token that stands beside the model's vocabulary and is looked for in text before anything else.
struct AddedToken: Sendable {
    var content: String
    /// Left out of decoded text on request.
    var isSpecial: Bool
    /// Matches only where no word character adjoins it.
    var isSingleWord = false
    /// Swallows the white space to its left.
    var stripsLeft = false
    var stripsRight = false
    private var normalization: Bool?

    init(_ content: String, isSpecial: Bool, isNormalized: Bool? = nil) {
        self.content = content
        self.isSpecial = isSpecial
        normalization = isNormalized
    }

    /// - Parameter isSpecial: what the token is whatever its own `special` says.
    init(_ configuration: ComponentConfiguration, isSpecial: Bool? = nil) throws(TokenizerError) {
        content = try configuration.string("content")
        let declared = try configuration.bool("special", default: false)
        self.isSpecial = isSpecial ?? declared
        isSingleWord = try configuration.bool("single_word", default: false)
        stripsLeft = try configuration.bool("lstrip", default: false)
        stripsRight = try configuration.bool("rstrip", default: false)
        if configuration.optional("normalized") != nil { normalization = try configuration.bool("normalized") }
    }

    /// Looked for in normalized text, in its own normalized form: unless said otherwise, what is not special.
    var isNormalized: Bool { normalization ?? !isSpecial }
}

extension AddedToken: Equatable {
    static func == (left: AddedToken, right: AddedToken) -> Bool {
        left.content.utf8.elementsEqual(right.content.utf8) && left.isSpecial == right.isSpecial
            && left.isSingleWord == right.isSingleWord && left.stripsLeft == right.stripsLeft
            && left.stripsRight == right.stripsRight && left.isNormalized == right.isNormalized
    }
}
