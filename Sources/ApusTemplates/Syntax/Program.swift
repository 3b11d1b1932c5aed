/// A template that has been read.
struct Program: Sendable {
    let body: [Statement]
    /// Strings and text of the template.
    let strings: [[UInt32]]
    /// How each scope comes to its names.
    let scopes: [ScopePlan]
}

/// The names of a scope, and what they are when it is entered.
struct ScopePlan: Sendable {
    enum Source: Sendable, Equatable {
        /// Given by whoever enters: a target of a loop, an argument.
        case parameter
        /// A variable of the whole rendering.
        case variable
        /// What it is in the scopes around, from where on the two go their own ways.
        case outer
        /// Nothing until it is set.
        case nothing
    }

    var names: [String: Source] = [:]
    /// Whether a loop's body speaks of `loop`.
    var hasLoop = false
    /// Special parameters of a macro that its body speaks of.
    var hasCaller = false
    var hasKeywords = false
    var hasRest = false
}
