extension RegexParser {
    /// Reads on after a backslash outside a class.
    mutating func parseEscape() throws(RegexError) -> RegexNode {
        guard let scalar = current else { throw failure("a pattern that ends in a backslash") }
        switch scalar {
        case "A": return assertion(.textStart)
        case "z": return assertion(.textEnd)
        case "Z": return assertion(.textEndOrFinalNewline)
        case "b": return assertion(.wordBoundary)
        case "B": return assertion(.notWordBoundary)
        case "R":
            position += 1
            let pair = RegexNode.sequence([.set(ScalarSet(0x0D)), .set(.newline)])
            let single = RegexNode.set(ScalarSet([0x0A...0x0D, 0x85...0x85, 0x2028...0x2029]))
            return .atomic(.alternation([pair, single]))
        case "1"..."9", "k", "g", "K", "G", "X", "y", "Y":
            throw failure("the escape \\\(scalar), which is not supported,")
        default:
            let set = try parseSetEscape()
            return .set(options.ignoresCase ? CaseFolding.closure(of: set) : set)
        }
    }

    private mutating func assertion(_ kind: RegexAssertion) -> RegexNode {
        position += 1
        return .assertion(kind)
    }

    /// Reads on after a backslash, where it stands for one scalar or a class of them.
    mutating func parseSetEscape() throws(RegexError) -> ScalarSet {
        let scalar = try next()
        switch scalar {
        case "d": return .digits
        case "D": return ScalarSet.digits.inverted
        case "w": return .words
        case "W": return ScalarSet.words.inverted
        case "s": return .spaces
        case "S": return ScalarSet.spaces.inverted
        case "h": return .hexadecimal
        case "H": return ScalarSet.hexadecimal.inverted
        case "N": return ScalarSet.newline.inverted
        case "O": return .all
        case "p", "P": return try parseProperty(isNegated: scalar == "P")
        case "t": return ScalarSet(0x09)
        case "n": return ScalarSet(0x0A)
        case "v": return ScalarSet(0x0B)
        case "f": return ScalarSet(0x0C)
        case "r": return ScalarSet(0x0D)
        case "a": return ScalarSet(0x07)
        case "e": return ScalarSet(0x1B)
        case "x":
            if accept("{") {
                let value = try parseDigits(radix: 16, atMost: 8)
                guard accept("}") else { throw failure("\\x{ without its end") }
                return ScalarSet(value)
            }
            return ScalarSet(try parseDigits(radix: 16, atMost: 2))
        case "u": return ScalarSet(try parseDigits(radix: 16, atMost: 4))
        case "0": return ScalarSet(try parseDigits(radix: 8, atMost: 2))
        case "c", "C", "M": throw failure("the escape \\\(scalar), which is not supported,")
        default: return ScalarSet(scalar.value)
        }
    }

    private mutating func parseDigits(radix: UInt32, atMost limit: Int) throws(RegexError) -> UInt32 {
        var value: UInt64 = 0
        for _ in 0..<limit {
            guard let scalar = current, let digit = Character(scalar).hexDigitValue, digit < radix else { break }
            value = value * UInt64(radix) + UInt64(digit)
            position += 1
        }
        guard value <= 0x10FFFF else { throw failure("a code point above 10FFFF") }
        return UInt32(value)
    }

    private mutating func parseProperty(isNegated: Bool) throws(RegexError) -> ScalarSet {
        guard accept("{") else { throw failure("\\p without a name in braces") }
        let caret = accept("^")
        var name = ""
        while true {
            let scalar = try next()
            if scalar == "}" { break }
            name.unicodeScalars.append(scalar)
        }
        guard let set = ScalarSet(property: name) else {
            throw failure("the property \"\(name)\", which is not supported,")
        }
        return isNegated != caret ? set.inverted : set
    }
}
