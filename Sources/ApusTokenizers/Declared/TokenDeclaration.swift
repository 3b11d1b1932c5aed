import ApusJSON

/// A token as a file declares it: by its text alone, or as an object with its properties.
struct TokenDeclaration: Sendable, Equatable {
    let token: AddedToken
    /// Whether the text is all that was said; such a token is special.
    let isText: Bool

    init(_ token: AddedToken) {
        self.token = token
        isText = false
    }

    init(text: String) {
        token = AddedToken(text, isSpecial: true)
        isText = true
    }

    /// - Parameter isSpecial: what the token of an object is, whatever its own `special` says.
    init(_ value: JSONValue, at place: String, isSpecial: Bool? = nil) throws(TokenizerError) {
        switch value {
        case .string(let text): self.init(text: text)
        case .object: self.init(try AddedToken(ComponentConfiguration(value, at: place), isSpecial: isSpecial))
        default: throw .malformed("\(place) must be a token (a string, or an object), not \(value.kind)")
        }
    }

    var content: ExactString { ExactString(token.content) }
}
