extension RegexParser {
    /// Reads on after an opening parenthesis.
    mutating func parseGroup() throws(RegexError) -> RegexNode? {
        if accept("?#") {
            while try next() != ")" {}
            return nil
        }
        guard accept("?") else { return try closing(try parseAlternation()) }
        if accept(":") { return try closing(try parseAlternation()) }
        if accept("=") { return try look(isBehind: false, isNegative: false) }
        if accept("!") { return try look(isBehind: false, isNegative: true) }
        if accept("<=") { return try look(isBehind: true, isNegative: false) }
        if accept("<!") { return try look(isBehind: true, isNegative: true) }
        if accept(">") { return .atomic(try closing(try parseAlternation())) }
        if accept("<") {
            while try next() != ">" {}
            return try closing(try parseAlternation())
        }
        return try parseOptions()
    }

    private mutating func closing(_ node: RegexNode) throws(RegexError) -> RegexNode {
        guard accept(")") else { throw failure("a group without its end") }
        return node
    }

    private mutating func look(isBehind: Bool, isNegative: Bool) throws(RegexError) -> RegexNode {
        let node = try closing(try parseAlternation())
        if isBehind, node.lengths == nil { throw failure("a look-behind of unbounded length") }
        return .look(node, isBehind: isBehind, isNegative: isNegative)
    }

    /// `(?im-x)` for the rest of the group, `(?i:...)` for the part inside.
    private mutating func parseOptions() throws(RegexError) -> RegexNode? {
        let outer = options
        var isOn = true
        while true {
            switch try next() {
            case "-": isOn = false
            case "i": options.ignoresCase = isOn
            case "m": options.dotMatchesNewline = isOn
            case "x": options.isExtended = isOn
            case ")":
                // The options hold to the end of the group, over its further branches too.
                return try parseAlternation()
            case ":":
                let node = try closing(try parseAlternation())
                options = outer
                return node
            default: throw failure("an unknown group")
            }
        }
    }
}
