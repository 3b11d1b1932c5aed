import ApusJSON

/// What `Split` and `Replace` look for.
enum TextPattern: Sendable {
    case literal([UInt8])
    case words(WordScanner)
    case regex(Regex)

    /// Reads `{"String": ...}` or `{"Regex": ...}`. Split patterns that many models share get a scanner of their own.
    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        let pattern = try configuration.component("pattern")
        if let literal = try pattern.optionalString("String") {
            self = .literal(Array(literal.utf8))
            return
        }
        let source = try pattern.string("Regex")
        if let scanner = WordScanner(pattern: source) {
            self = .words(scanner)
            return
        }
        do {
            self = .regex(try Regex(source))
        } catch {
            throw TokenizerError.unsupported(
                "\(pattern.place).Regex has \(error.reason) at character \(error.offset) of \"\(source.prefix(200))\"")
        }
    }

    /// Every match from left to right.
    func forEachMatch(in text: UTF8Text, part: Range<Int>, _ body: (Range<Int>) -> Void) {
        guard !part.isEmpty else { return }
        switch self {
        case .words(let scanner):
            var position = part.lowerBound
            while position < part.upperBound {
                let end = scanner.endOfWord(in: text, from: position, upTo: part.upperBound)
                body(position..<end)
                position = end
            }
        case .literal(let literal): forEachLiteral(literal, in: text, part: part, body)
        case .regex(let regex): regex.forEachMatch(in: text, part: part, body)
        }
    }

    private func forEachLiteral(
        _ literal: [UInt8], in text: UTF8Text, part: Range<Int>, _ body: (Range<Int>) -> Void
    ) {
        guard let first = literal.first else {
            var position = part.lowerBound
            while position < part.upperBound {
                body(position..<position)
                position += text.scalar(at: position).length
            }
            return body(position..<position)
        }
        literal.withUnsafeBufferPointer { literal in
            var position = part.lowerBound
            while position <= part.upperBound - literal.count {
                if text[position] == first, matches(literal, in: text, at: position) {
                    body(position..<position + literal.count)
                    position += literal.count
                } else {
                    position += 1
                }
            }
        }
    }

    private func matches(_ literal: UTF8Text, in text: UTF8Text, at position: Int) -> Bool {
        for index in 1..<max(literal.count, 1) where text[position + index] != literal[index] { return false }
        return true
    }
}
