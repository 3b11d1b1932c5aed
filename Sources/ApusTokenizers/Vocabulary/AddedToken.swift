/// A token that stands beside the model's vocabulary and is looked for in text before anything else.
struct AddedToken: Sendable, Equatable {
    var content: String
    /// Left out of decoded text on request.
    var isSpecial: Bool
    /// Matches only where no word character adjoins it.
    var isSingleWord: Bool
    /// Swallows the white space to its left.
    var stripsLeft: Bool
    var stripsRight: Bool
    /// Looked for in normalized text, in its own normalized form.
    var isNormalized: Bool

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        content = try configuration.string("content")
        isSpecial = try configuration.bool("special", default: false)
        isSingleWord = try configuration.bool("single_word", default: false)
        stripsLeft = try configuration.bool("lstrip", default: false)
        stripsRight = try configuration.bool("rstrip", default: false)
        isNormalized = try configuration.bool("normalized", default: !isSpecial)
        // The id is checked but not used: as in the reference, an added token keeps the id that the model's
        // vocabulary gives it, or takes the next free one.
        _ = try configuration.natural("id")
    }

    static func == (left: AddedToken, right: AddedToken) -> Bool {
        left.content.utf8.elementsEqual(right.content.utf8) && left.isSpecial == right.isSpecial
            && left.isSingleWord == right.isSingleWord && left.stripsLeft == right.stripsLeft
            && left.stripsRight == right.stripsRight && left.isNormalized == right.isNormalized
    }
}
