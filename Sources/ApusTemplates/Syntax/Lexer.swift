/// Cuts a template into tokens, with jinja2's rules of whitespace: `trim_blocks` and `lstrip_blocks`, and the signs
/// `-` and `+` beside the delimiters.
struct Lexer {
    let source: [Unicode.Scalar]
    var position = 0
    var line = 1
    var tokens: [Token] = []
    /// Whether the last thing read ended with a line break.
    private var isLineStart = true

    init(_ source: String) {
        var scalars: [Unicode.Scalar] = []
        var wasReturn = false
        for scalar in source.unicodeScalars {
            if scalar == "\r" {
                scalars.append("\n")
            } else if scalar != "\n" || !wasReturn {
                scalars.append(scalar)
            }
            wasReturn = scalar == "\r"
        }
        if scalars.last == "\n" { scalars.removeLast() }
        self.source = scalars
    }

    static func tokens(of source: String) throws(TemplateError) -> [Token] {
        var lexer = Lexer(source)
        while lexer.position < lexer.source.count { try lexer.readRoot() }
        lexer.add(.end)
        return lexer.tokens
    }

    mutating func add(_ kind: Token.Kind) { tokens.append(Token(kind: kind, line: line)) }

    func failure(_ message: String) -> TemplateError { TemplateError(.syntax, message, line: line) }

    func has(_ text: StaticString, at offset: Int) -> Bool {
        guard offset >= 0, text.utf8CodeUnitCount <= source.count - offset else { return false }
        for index in 0..<text.utf8CodeUnitCount
        where source[offset + index].value != UInt32(text.utf8Start[index]) {
            return false
        }
        return true
    }

    func skippingSpace(from offset: Int) -> Int {
        var offset = offset
        while offset < source.count, source[offset].isPythonSpace { offset += 1 }
        return offset
    }

    /// Moves on, counting lines.
    mutating func advance(to offset: Int) {
        for index in position..<offset where source[index] == "\n" { line += 1 }
        if offset > position { isLineStart = source[offset - 1] == "\n" }
        position = offset
    }
}

extension Lexer {
    /// Text up to the next delimiter, and what stands in it.
    private mutating func readRoot() throws(TemplateError) {
        var begin = position
        while begin < source.count {
            if source[begin] == "{", begin + 1 < source.count {
                let next = source[begin + 1]
                if next == "%" || next == "{" || next == "#" { break }
            }
            begin += 1
        }
        guard begin < source.count else {
            addData(position..<source.count)
            return advance(to: source.count)
        }
        let kind = source[begin + 1]
        let raw = kind == "%" ? endOfRawTag(from: begin) : nil
        addStripped(upTo: begin, canStripLine: kind != "{")
        if let raw {
            advance(to: raw)
            return try readRaw()
        }
        advance(to: begin + (sign(at: begin + 2) == nil ? 2 : 3))
        isLineStart = false
        switch kind {
        case "#": try skipComment()
        case "%":
            add(.statementBegin)
            try readCode(isStatement: true)
        default:
            add(.outputBegin)
            try readCode(isStatement: false)
        }
    }

    private func sign(at offset: Int) -> Unicode.Scalar? {
        guard offset < source.count, source[offset] == "-" || source[offset] == "+" else { return nil }
        return source[offset]
    }

    private mutating func addData(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        add(.data(source[range].map(\.value)))
    }

    /// The text before a delimiter, less what its sign or its line takes away.
    private mutating func addStripped(upTo begin: Int, canStripLine: Bool) {
        var end = begin
        switch sign(at: begin + 2) {
        case "-": while end > position, source[end - 1].isPythonSpace { end -= 1 }
        case "+": break
        default:
            guard canStripLine else { break }
            var lineStart = begin
            while lineStart > position, source[lineStart - 1] != "\n" { lineStart -= 1 }
            guard lineStart > position || isLineStart else { break }
            if source[lineStart..<begin].allSatisfy(\.isPythonSpace) { end = lineStart }
        }
        addData(position..<end)
        advance(to: begin)
    }

    /// Where `{% raw %}` ends, if that stands here.
    private func endOfRawTag(from begin: Int) -> Int? {
        var offset = skippingSpace(from: begin + (sign(at: begin + 2) == nil ? 2 : 3))
        guard has("raw", at: offset) else { return nil }
        offset = skippingSpace(from: offset + 3)
        if has("-%}", at: offset) { return skippingSpace(from: offset + 3) }
        return has("%}", at: offset) ? offset + 2 : nil
    }

    private mutating func readRaw() throws(TemplateError) {
        var begin = position
        while begin < source.count {
            if has("{%", at: begin) {
                let name = skippingSpace(from: begin + (sign(at: begin + 2) == nil ? 2 : 3))
                if has("endraw", at: name), let end = endOfBlock(at: skippingSpace(from: name + 6)) {
                    addStripped(upTo: begin, canStripLine: true)
                    return advance(to: end)
                }
            }
            begin += 1
        }
        guard position == source.count else { throw failure("'raw' is never closed") }
    }

    private mutating func skipComment() throws(TemplateError) {
        var offset = position
        while offset < source.count {
            if has("+#}", at: offset) { return advance(to: offset + 3) }
            if has("-#}", at: offset) { return advance(to: skippingSpace(from: offset + 3)) }
            if has("#}", at: offset) { return advance(to: offset + (has("\n", at: offset + 2) ? 3 : 2)) }
            offset += 1
        }
        // One that begins where the template ends is none.
        guard position == source.count else { throw failure("a comment is never closed") }
    }

    /// Where a statement ends, if its end stands here, with the whitespace that goes with it.
    func endOfBlock(at offset: Int) -> Int? {
        if has("+%}", at: offset) { return offset + 3 }
        if has("-%}", at: offset) { return skippingSpace(from: offset + 3) }
        guard has("%}", at: offset) else { return nil }
        return offset + (has("\n", at: offset + 2) ? 3 : 2)
    }

    func endOfOutput(at offset: Int) -> Int? {
        if has("-}}", at: offset) { return skippingSpace(from: offset + 3) }
        return has("}}", at: offset) ? offset + 2 : nil
    }
}
