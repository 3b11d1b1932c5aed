extension Lexer {
    /// What stands between delimiters, up to the closing one outside of all brackets.
    mutating func readCode(isStatement: Bool) throws(TemplateError) {
        var brackets: [Unicode.Scalar] = []
        while position < source.count {
            if brackets.isEmpty, let end = isStatement ? endOfBlock(at: position) : endOfOutput(at: position) {
                add(isStatement ? .statementEnd : .outputEnd)
                return advance(to: end)
            }
            let scalar = source[position]
            if scalar.isPythonSpace {
                advance(to: skippingSpace(from: position))
            } else if scalar.isDigit {
                try readNumber()
            } else if scalar.isWord {
                try readName()
            } else if scalar == "'" || scalar == "\"", let end = endOfString() {
                add(.string(try unescaped(position + 1..<end - 1)))
                advance(to: end)
            } else {
                try readSymbol(&brackets)
            }
        }
    }

    private mutating func readName() throws(TemplateError) {
        var end = position
        while end < source.count, source[end].isWord || source[end].properties.isXIDContinue { end += 1 }
        let scalars = source[position..<end]
        guard let first = scalars.first, first == "_" || first.properties.isXIDStart,
            scalars.allSatisfy({ $0.properties.isXIDContinue })
        else { throw failure("a name holds a character that none may hold") }
        var name = ""
        name.unicodeScalars.append(contentsOf: scalars)
        add(.name(name))
        advance(to: end)
    }

    private static let symbols: [StaticString] = [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=",
        ".", ":", "|", ",", ";",
    ]

    private mutating func readSymbol(_ brackets: inout [Unicode.Scalar]) throws(TemplateError) {
        guard let symbol = Self.symbols.first(where: { has($0, at: position) }) else {
            throw failure("unexpected character '\(source[position])'")
        }
        switch source[position] {
        case "(": brackets.append(")")
        case "[": brackets.append("]")
        case "{": brackets.append("}")
        case ")", "]", "}":
            guard brackets.popLast() == source[position] else { throw failure("unexpected '\(symbol)'") }
        default: break
        }
        add(.symbol(symbol.description))
        advance(to: position + symbol.utf8CodeUnitCount)
    }
}

// Numbers.
extension Lexer {
    private mutating func readNumber() throws(TemplateError) {
        let isAfterDot = position > 0 && source[position - 1] == "."
        if !isAfterDot, let end = endOfFloat() {
            guard let value = Double(written(position..<end)) else { throw failure("a number is malformed") }
            add(.float(value))
            return advance(to: end)
        }
        var (start, end, radix) = (position, position, 10)
        if source[position] == "0" {
            let letter = position + 1 < source.count ? source[position + 1].value | 0x20 : 0
            radix = [0x62: 2, 0x6F: 8, 0x78: 16][letter] ?? 10
            if radix != 10, let last = endOfDigits(from: position + 2, radix: radix, canLead: true) {
                (start, end) = (position + 2, last)
            } else {
                radix = 10
                end = position + 1
                while true {
                    let next = has("_", at: end) ? end + 1 : end
                    guard has("0", at: next) else { break }
                    end = next + 1
                }
            }
        } else {
            end = endOfDigits(from: position, radix: 10) ?? position + 1
        }
        guard let value = Int(written(start..<end), radix: radix) else {
            throw TemplateError(.unsupported, "an integer beyond 64 bits", line: line)
        }
        add(.integer(value))
        advance(to: end)
    }

    private func written(_ range: Range<Int>) -> String {
        var text = ""
        for scalar in source[range] where scalar != "_" { text.unicodeScalars.append(scalar) }
        return text
    }

    /// The end of digits with single underscores between them (or before them, behind a prefix).
    private func endOfDigits(from start: Int, radix: Int, canLead: Bool = false) -> Int? {
        var (offset, end) = (start, nil as Int?)
        while true {
            let hasUnderscore = has("_", at: offset) && (offset > start || canLead)
            let digit = offset + (hasUnderscore ? 1 : 0)
            guard digit < source.count, source[digit].isASCII,
                Int(String(source[digit]), radix: radix) != nil
            else { return end }
            offset = digit + 1
            end = offset
        }
    }

    private func endOfFloat() -> Int? {
        guard var end = endOfDigits(from: position, radix: 10) else { return nil }
        var hasFraction = false
        if has(".", at: end), let last = endOfDigits(from: end + 1, radix: 10) { (end, hasFraction) = (last, true) }
        if has("e", at: end) || has("E", at: end) {
            let digits = has("+", at: end + 1) || has("-", at: end + 1) ? end + 2 : end + 1
            if let last = endOfDigits(from: digits, radix: 10) { return last }
        }
        return hasFraction ? end : nil
    }
}
