/// Reads tokens as statements and expressions, with the precedences of jinja2.
struct Parser {
    private let tokens: [Token]
    private var position = 0
    private(set) var strings: [[UInt32]] = []
    private(set) var scopeCount = 0
    private var depth = 0
    private let gauge = StackGauge()

    init(_ source: String) throws(TemplateError) { tokens = try Lexer.tokens(of: source) }

    mutating func parseProgram() throws(TemplateError) -> Program {
        let root = newScope()
        let body = try parseBody(until: [])
        var resolver = Resolver(scopeCount: scopeCount)
        try resolver.resolve(root: body, scope: root)
        return Program(body: body, strings: strings, scopes: resolver.plans)
    }

    var current: Token { tokens[position] }
    var next: Token { tokens[min(position + 1, tokens.count - 1)] }
    var line: Int { current.line }

    mutating func advance() { position = min(position + 1, tokens.count - 1) }

    func failure(_ message: String) -> TemplateError { TemplateError(.syntax, message, line: line) }

    func isSymbol(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }
    func isName(_ name: String) -> Bool { current.kind == .name(name) }

    mutating func skip(symbol: String) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func skip(name: String) -> Bool {
        guard isName(name) else { return false }
        advance()
        return true
    }

    mutating func expect(symbol: String) throws(TemplateError) {
        guard skip(symbol: symbol) else { throw failure("expected '\(symbol)', not \(current.label)") }
    }

    mutating func expect(name: String) throws(TemplateError) {
        guard skip(name: name) else { throw failure("expected '\(name)', not \(current.label)") }
    }

    mutating func expect(_ kind: Token.Kind) throws(TemplateError) {
        guard current.kind == kind else {
            throw failure("expected \(Token(kind: kind, line: 0).label), not \(current.label)")
        }
        advance()
    }

    mutating func anyName() throws(TemplateError) -> String {
        guard case .name(let name) = current.kind else { throw failure("expected a name, not \(current.label)") }
        advance()
        return name
    }

    mutating func newScope() -> Int {
        scopeCount += 1
        return scopeCount - 1
    }

    mutating func newString(_ units: [UInt32]) -> Int {
        strings.append(units)
        return strings.count - 1
    }

    mutating func enter() throws(TemplateError) {
        depth += 1
        guard depth <= Limits.nesting, !gauge.isFull else {
            throw TemplateError(.limit, "nested deeper than \(Limits.nesting)", line: line)
        }
    }

    mutating func leave() { depth -= 1 }

    func make(_ kind: Expression.Kind, line: Int) throws(TemplateError) -> Expression {
        let expression = Expression(kind, line: line)
        guard expression.depth <= Limits.nesting else {
            throw TemplateError(.limit, "an expression nested deeper than \(Limits.nesting)", line: line)
        }
        return expression
    }
}
