extension Parser {
    /// Statements up to one that begins with one of these names, which is left to be read.
    mutating func parseBody(until ends: Set<String>) throws(TemplateError) -> [Statement] {
        try enter()
        defer { leave() }
        var body: [Statement] = []
        while true {
            let line = line
            switch current.kind {
            case .data(let units):
                advance()
                body.append(Statement(.text(newString(units)), line: line))
            case .outputBegin:
                advance()
                body.append(Statement(.output(try parseTuple()), line: line))
                try expect(.outputEnd)
            case .statementBegin:
                advance()
                if case .name(let name) = current.kind, ends.contains(name) { return body }
                body += try parseStatement(until: ends)
                try expect(.statementEnd)
            default:
                guard ends.isEmpty else {
                    throw failure("the template ends where \(ends.sorted().joined(separator: " or ")) is missing")
                }
                return body
            }
        }
    }

    /// The body of a statement that has just been read, up to the name that ends it.
    mutating func parseBlock(until ends: String...) throws(TemplateError) -> [Statement] {
        _ = skip(symbol: ":")
        try expect(.statementEnd)
        return try parseBody(until: Set(ends))
    }

    private static let lacking: Set<String> = ["block", "extends", "include", "import", "from", "autoescape"]

    private mutating func parseStatement(until ends: Set<String>) throws(TemplateError) -> [Statement] {
        let line = line
        let name = try anyName()
        switch name {
        case "for": return [try parseLoop(line: line)]
        case "if": return [try parseCondition(line: line)]
        case "set": return [try parseSet(line: line)]
        case "with": return [try parseWith(line: line)]
        case "macro": return [try parseMacro(line: line)]
        case "call": return [try parseCall(line: line)]
        case "print": return try parsePrint(line: line)
        case "break": return [Statement(.leave, line: line)]
        case "continue": return [Statement(.proceed, line: line)]
        case "filter":
            guard let filter = try parseFilterChain(on: nil, beginsBlock: true) else { return [] }
            let scope = newScope()
            let body = try parseBlock(until: "endfilter")
            advance()
            return [Statement(.filter(filter, Statement.Block(scope: scope, body: body)), line: line)]
        case "generation":
            let scope = newScope()
            // The tag has nothing behind its name, and what its end has is read as that of any other.
            let body = try parseBlock(until: "endgeneration")
            advance()
            let macro = Statement.Macro(name: "generation", parameters: [], defaults: [], body: body, scope: scope)
            return [Statement(.generation(macro), line: line)]
        case _ where Self.lacking.contains(name):
            throw TemplateError(.unsupported, "the statement '\(name)' is lacking", line: line)
        default:
            let expected = ends.isEmpty ? "" : "; \(ends.sorted().joined(separator: " or ")) is missing"
            throw TemplateError(.syntax, "unknown statement '\(name)'\(expected)", line: line)
        }
    }

    private mutating func parseLoop(line: Int) throws(TemplateError) -> Statement {
        let target = try parseTarget(endingAt: "in")
        try expect(name: "in")
        let sequence = try parseTuple(withCondition: false, endingAt: "recursive")
        let test = skip(name: "if") ? try parseExpression() : nil
        let isRecursive = skip(name: "recursive")
        let (bodyScope, testScope, otherwiseScope) = (newScope(), newScope(), newScope())
        let body = try parseBlock(until: "endfor", "else")
        var otherwise: [Statement] = []
        if skip(name: "else") { otherwise = try parseBlock(until: "endfor") }
        _ = skip(name: "endfor")
        let loop = Statement.Loop(
            target: target, sequence: sequence, test: test, isRecursive: isRecursive, body: body,
            otherwise: otherwise, bodyScope: bodyScope, testScope: testScope, otherwiseScope: otherwiseScope)
        return Statement(.loop(loop), line: line)
    }

    private mutating func parseCondition(line: Int) throws(TemplateError) -> Statement {
        var branches: [Statement.Branch] = []
        while true {
            let test = try parseTuple(withCondition: false)
            let body = try parseBlock(until: "elif", "else", "endif")
            branches.append(Statement.Branch(test: test, body: body))
            if skip(name: "elif") { continue }
            var otherwise: [Statement] = []
            if skip(name: "else") { otherwise = try parseBlock(until: "endif") }
            _ = skip(name: "endif")
            return Statement(.condition(branches, otherwise: otherwise), line: line)
        }
    }

    private mutating func parseSet(line: Int) throws(TemplateError) -> Statement {
        let target = try parseTarget(withNamespace: true)
        if skip(symbol: "=") { return Statement(.set(target, try parseTuple()), line: line) }
        let filter = try parseFilterChain(on: nil)
        let scope = newScope()
        let body = try parseBlock(until: "endset")
        advance()
        return Statement(.setBlock(target, filter: filter, Statement.Block(scope: scope, body: body)), line: line)
    }

    private mutating func parseWith(line: Int) throws(TemplateError) -> Statement {
        var assignments: [(Target, Expression)] = []
        while current.kind != .statementEnd {
            if !assignments.isEmpty { try expect(symbol: ",") }
            let target = try parseTarget()
            try expect(symbol: "=")
            assignments.append((target, try parseExpression()))
        }
        let scope = newScope()
        let body = try parseBlock(until: "endwith")
        advance()
        return Statement(.with(assignments, Statement.Block(scope: scope, body: body)), line: line)
    }

    private mutating func parsePrint(line: Int) throws(TemplateError) -> [Statement] {
        var outputs: [Statement] = []
        while current.kind != .statementEnd {
            if !outputs.isEmpty { try expect(symbol: ",") }
            outputs.append(Statement(.output(try parseExpression()), line: line))
        }
        return outputs
    }

    private mutating func parseMacro(line: Int) throws(TemplateError) -> Statement {
        let name = try parseTargetName()
        let (parameters, defaults) = try parseSignature()
        let scope = newScope()
        let body = try parseBlock(until: "endmacro")
        advance()
        return Statement(
            .macro(
                Statement.Macro(name: name, parameters: parameters, defaults: defaults, body: body, scope: scope)),
            line: line)
    }

    private mutating func parseCall(line: Int) throws(TemplateError) -> Statement {
        let (parameters, defaults) = isSymbol("(") ? try parseSignature() : ([], [])
        let call = try parseExpression()
        guard case .call = call.kind else { throw TemplateError(.syntax, "expected a call", line: line) }
        let scope = newScope()
        let body = try parseBlock(until: "endcall")
        advance()
        let macro = Statement.Macro(
            name: "caller", parameters: parameters, defaults: defaults, body: body, scope: scope)
        return Statement(.call(call, macro), line: line)
    }
}

// What is assigned to.
extension Parser {
    private static let constants: Set<String> = ["true", "false", "none", "True", "False", "None"]

    private mutating func parseTargetName() throws(TemplateError) -> String {
        let name = try anyName()
        guard !Self.constants.contains(name) else { throw failure("'\(name)' cannot be assigned to") }
        return name
    }

    private mutating func parseTarget(
        withNamespace: Bool = false, endingAt end: String? = nil, isParenthesized: Bool = false
    ) throws(TemplateError) -> Target {
        try enter()
        defer { leave() }
        var targets: [Target] = []
        var isTuple = false
        while true {
            if !targets.isEmpty { try expect(symbol: ",") }
            if isTupleEnd(endingAt: end) { break }
            targets.append(try parseSingleTarget(withNamespace: withNamespace))
            guard isSymbol(",") else { break }
            isTuple = true
        }
        if !isTuple {
            if let target = targets.first { return target }
            guard isParenthesized else { throw failure("expected a name, not \(current.label)") }
        }
        return .tuple(targets)
    }

    private mutating func parseSingleTarget(withNamespace: Bool) throws(TemplateError) -> Target {
        if skip(symbol: "(") {
            // Inside parentheses jinja2 reads any expression, of which only names and tuples can be assigned to.
            let target = try parseTarget(isParenthesized: true)
            try expect(symbol: ")")
            return target
        }
        if withNamespace, next.kind == .symbol("."), case .name(let name) = current.kind,
            !Self.constants.contains(name)
        {
            advance()
            advance()
            return .attribute(of: name, try anyName())
        }
        return .name(try parseTargetName())
    }

    private mutating func parseSignature() throws(TemplateError) -> ([String], [Expression]) {
        try expect(symbol: "(")
        var (parameters, defaults) = ([] as [String], [] as [Expression])
        while !isSymbol(")") {
            if !parameters.isEmpty { try expect(symbol: ",") }
            let name = try parseTargetName()
            guard !parameters.contains(name) else { throw failure("the parameter '\(name)' stands twice") }
            if skip(symbol: "=") {
                defaults.append(try parseExpression())
            } else if !defaults.isEmpty {
                throw failure("a parameter without a default follows one with a default")
            }
            parameters.append(name)
        }
        try expect(symbol: ")")
        return (parameters, defaults)
    }
}
