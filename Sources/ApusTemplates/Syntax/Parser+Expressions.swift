extension Parser {
    mutating func parseExpression(withCondition: Bool = true) throws(TemplateError) -> Expression {
        try enter()
        defer { leave() }
        var expression = try parseOr()
        while withCondition, isName("if") {
            let line = line
            advance()
            let test = try parseOr()
            let otherwise = skip(name: "else") ? try parseExpression() : nil
            expression = try make(.conditional(test: test, then: expression, otherwise: otherwise), line: line)
        }
        return expression
    }

    private mutating func parseOr() throws(TemplateError) -> Expression {
        var left = try parseAnd()
        while isName("or") {
            let line = line
            advance()
            left = try make(.or(left, try parseAnd()), line: line)
        }
        return left
    }

    private mutating func parseAnd() throws(TemplateError) -> Expression {
        var left = try parseNot()
        while isName("and") {
            let line = line
            advance()
            left = try make(.and(left, try parseNot()), line: line)
        }
        return left
    }

    private mutating func parseNot() throws(TemplateError) -> Expression {
        guard isName("not") else { return try parseComparison() }
        try enter()
        defer { leave() }
        let line = line
        advance()
        return try make(.not(try parseNot()), line: line)
    }

    private mutating func parseComparison() throws(TemplateError) -> Expression {
        let line = line
        let first = try parseSum()
        var rest: [(Expression.Comparison, Expression)] = []
        while let comparison = comparisonHere {
            advance()
            if comparison == .notIn { advance() }
            rest.append((comparison, try parseSum()))
        }
        return rest.isEmpty ? first : try make(.comparison(first, rest), line: line)
    }

    private var comparisonHere: Expression.Comparison? {
        switch current.kind {
        case .symbol(let symbol): Expression.Comparison(rawValue: symbol)
        case .name("in"): .in
        case .name("not"): next.kind == .name("in") ? .notIn : nil
        default: nil
        }
    }

    private mutating func parseSum() throws(TemplateError) -> Expression {
        var left = try parseConcatenation()
        while isSymbol("+") || isSymbol("-") {
            let (line, isSum) = (line, isSymbol("+"))
            advance()
            left = try make(.arithmetic(isSum ? .add : .subtract, left, try parseConcatenation()), line: line)
        }
        return left
    }

    private mutating func parseConcatenation() throws(TemplateError) -> Expression {
        let line = line
        var parts = [try parseProduct()]
        while skip(symbol: "~") { parts.append(try parseProduct()) }
        return parts.count == 1 ? parts[0] : try make(.concatenation(parts), line: line)
    }

    private mutating func parseProduct() throws(TemplateError) -> Expression {
        var left = try parsePower()
        while case .symbol(let symbol) = current.kind, ["*", "/", "//", "%"].contains(symbol),
            let operation = Expression.Arithmetic(rawValue: symbol)
        {
            let line = line
            advance()
            left = try make(.arithmetic(operation, left, try parsePower()), line: line)
        }
        return left
    }

    /// jinja2 groups `**` from the left.
    private mutating func parsePower() throws(TemplateError) -> Expression {
        var left = try parseUnary()
        while isSymbol("**") {
            let line = line
            advance()
            left = try make(.arithmetic(.power, left, try parseUnary()), line: line)
        }
        return left
    }

    private mutating func parseUnary(withFilters: Bool = true) throws(TemplateError) -> Expression {
        try enter()
        defer { leave() }
        let line = line
        var expression: Expression
        if skip(symbol: "-") {
            expression = try make(.negative(try parseUnary(withFilters: false)), line: line)
        } else if skip(symbol: "+") {
            expression = try make(.positive(try parseUnary(withFilters: false)), line: line)
        } else {
            expression = try parsePrimary()
        }
        expression = try parsePostfix(expression)
        return withFilters ? try parseFilters(expression) : expression
    }

    mutating func parsePrimary() throws(TemplateError) -> Expression {
        let token = current
        let line = token.line
        advance()
        switch token.kind {
        case .name("true"), .name("True"): return try make(.bool(true), line: line)
        case .name("false"), .name("False"): return try make(.bool(false), line: line)
        case .name("none"), .name("None"): return try make(.none, line: line)
        case .name("self"): throw TemplateError(.unsupported, "'self' is lacking", line: line)
        case .name(let name): return try make(.name(name), line: line)
        case .string(var units):
            while case .string(let more) = current.kind {
                units += more
                advance()
            }
            return try make(.string(newString(units)), line: line)
        case .integer(let value): return try make(.integer(value), line: line)
        case .float(let value): return try make(.float(value), line: line)
        case .symbol("("):
            let expression = try parseTuple(isParenthesized: true)
            try expect(symbol: ")")
            return expression
        case .symbol("["): return try parseList(line: line)
        case .symbol("{"): return try parseDict(line: line)
        default: throw TemplateError(.syntax, "unexpected \(token.label)", line: line)
        }
    }

    private mutating func parseList(line: Int) throws(TemplateError) -> Expression {
        var items: [Expression] = []
        while !isSymbol("]") {
            if !items.isEmpty {
                try expect(symbol: ",")
                if isSymbol("]") { break }
            }
            items.append(try parseExpression())
        }
        try expect(symbol: "]")
        return try make(.list(items), line: line)
    }

    private mutating func parseDict(line: Int) throws(TemplateError) -> Expression {
        var pairs: [(key: Expression, value: Expression)] = []
        while !isSymbol("}") {
            if !pairs.isEmpty {
                try expect(symbol: ",")
                if isSymbol("}") { break }
            }
            let key = try parseExpression()
            try expect(symbol: ":")
            pairs.append((key, try parseExpression()))
        }
        try expect(symbol: "}")
        return try make(.dict(pairs), line: line)
    }

    /// Expressions with commas between them are a tuple, with or without parentheses.
    mutating func parseTuple(
        isParenthesized: Bool = false, withCondition: Bool = true, endingAt end: String? = nil
    ) throws(TemplateError) -> Expression {
        let line = line
        var items: [Expression] = []
        var isTuple = false
        while true {
            if !items.isEmpty { try expect(symbol: ",") }
            if isTupleEnd(endingAt: end) { break }
            items.append(try parseExpression(withCondition: withCondition))
            guard isSymbol(",") else { break }
            isTuple = true
        }
        if !isTuple {
            if let item = items.first { return item }
            guard isParenthesized else { throw failure("expected an expression, not \(current.label)") }
        }
        return try make(.tuple(items), line: line)
    }

    func isTupleEnd(endingAt end: String?) -> Bool {
        switch current.kind {
        case .outputEnd, .statementEnd, .symbol(")"): true
        case .name(let name): name == end
        default: false
        }
    }
}
