import ApusJSON

/// Tokens by name, in the order in which the names came; of tokens with one name, the last counts.
struct NamedTokens: Sendable {
    private(set) var tokens: [(name: String, declaration: TokenDeclaration)] = []
    private var positions: [ExactString: Int] = [:]

    var isEmpty: Bool { tokens.isEmpty }

    subscript(name: String) -> TokenDeclaration? { positions[ExactString(name)].map { tokens[$0].declaration } }

    mutating func set(_ name: String, _ declaration: TokenDeclaration) {
        if let position = positions[ExactString(name)] {
            tokens[position].declaration = declaration
        } else {
            positions[ExactString(name)] = tokens.count
            tokens.append((name, declaration))
        }
    }

    mutating func merge(_ others: NamedTokens) {
        for (name, declaration) in others.tokens { set(name, declaration) }
    }
}
