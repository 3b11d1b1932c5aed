extension Parser {
    /// Attributes, items, slices and calls behind an expression.
    mutating func parsePostfix(_ expression: Expression) throws(TemplateError) -> Expression {
        var expression = expression
        while true {
            let line = line
            if skip(symbol: ".") {
                expression = try parseAttribute(of: expression, line: line)
            } else if skip(symbol: "[") {
                expression = try parseItem(of: expression, line: line)
            } else if isSymbol("(") {
                expression = try make(.call(expression, try parseArguments()), line: line)
            } else {
                return expression
            }
        }
    }

    /// Filters, tests and calls behind an expression.
    mutating func parseFilters(_ expression: Expression) throws(TemplateError) -> Expression {
        var expression = expression
        while true {
            let line = line
            if isSymbol("|") {
                expression = try parseFilterChain(on: expression)
            } else if skip(name: "is") {
                expression = try parseTest(of: expression, line: line)
            } else if isSymbol("(") {
                expression = try make(.call(expression, try parseArguments()), line: line)
            } else {
                return expression
            }
        }
    }

    private mutating func parseAttribute(of base: Expression, line: Int) throws(TemplateError) -> Expression {
        let token = current
        advance()
        switch token.kind {
        case .name(let name): return try make(.attribute(base, name), line: line)
        case .integer(let index):
            return try make(.item(base, try make(.integer(index), line: line)), line: line)
        default: throw TemplateError(.syntax, "expected a name or a number, not \(token.label)", line: line)
        }
    }

    private mutating func parseItem(of base: Expression, line: Int) throws(TemplateError) -> Expression {
        var items: [Expression] = []
        while !isSymbol("]") {
            if !items.isEmpty { try expect(symbol: ",") }
            var start: Expression?
            if !isSymbol(":") {
                let item = try parseExpression()
                guard isSymbol(":") else {
                    items.append(item)
                    continue
                }
                start = item
            }
            guard items.isEmpty else { throw failure("a slice may only stand alone between brackets") }
            return try parseSlice(of: base, start: start, line: line)
        }
        try expect(symbol: "]")
        let index = items.count == 1 ? items[0] : try make(.tuple(items), line: line)
        return try make(.item(base, index), line: line)
    }

    private mutating func parseSlice(
        of base: Expression, start: Expression?, line: Int
    ) throws(TemplateError) -> Expression {
        try expect(symbol: ":")
        var (stop, step) = (nil as Expression?, nil as Expression?)
        if !isSymbol(":"), !isSymbol("]") { stop = try parseExpression() }
        if skip(symbol: ":"), !isSymbol("]") { step = try parseExpression() }
        guard skip(symbol: "]") else { throw failure("expected ']', not \(current.label)") }
        return try make(.slice(base, start: start, stop: stop, step: step), line: line)
    }

    mutating func parseArguments() throws(TemplateError) -> CallArguments {
        try expect(symbol: "(")
        var arguments = CallArguments()
        var isFirst = true
        while !isSymbol(")") {
            if !isFirst {
                try expect(symbol: ",")
                if isSymbol(")") { break }
            }
            isFirst = false
            try parseArgument(into: &arguments)
        }
        try expect(symbol: ")")
        return arguments
    }

    private mutating func parseArgument(into arguments: inout CallArguments) throws(TemplateError) {
        if isSymbol("*") || isSymbol("**") {
            guard arguments.mapping == nil, isSymbol("**") || arguments.list == nil else {
                throw failure("arguments of a call stand in a wrong order")
            }
            if skip(symbol: "*") {
                arguments.list = try parseExpression()
            } else {
                advance()
                arguments.mapping = try parseExpression()
            }
        } else if case .name(let name) = current.kind, next.kind == .symbol("=") {
            guard arguments.mapping == nil else { throw failure("arguments of a call stand in a wrong order") }
            guard !arguments.keywords.contains(where: { $0.name == name }) else {
                throw failure("the keyword '\(name)' stands twice")
            }
            advance()
            advance()
            arguments.keywords.append((name, try parseExpression()))
        } else {
            guard arguments.list == nil, arguments.mapping == nil, arguments.keywords.isEmpty else {
                throw failure("arguments of a call stand in a wrong order")
            }
            arguments.positional.append(try parseExpression())
        }
    }

    private mutating func parseDottedName() throws(TemplateError) -> String {
        var name = try anyName()
        while skip(symbol: ".") { name += "." + (try anyName()) }
        return name
    }

    /// Filters one after the other, each with its bar; the first has none if it begins a block.
    mutating func parseFilterChain(
        on base: Expression?, beginsBlock: Bool = false
    ) throws(TemplateError) -> Expression? {
        var expression = base
        var isFirst = beginsBlock
        while isFirst || isSymbol("|") {
            if !isFirst { advance() }
            isFirst = false
            let line = line
            let name = try parseDottedName()
            let arguments = isSymbol("(") ? try parseArguments() : CallArguments()
            expression = try make(.filter(expression, name, arguments), line: line)
        }
        return expression
    }

    private mutating func parseFilterChain(on base: Expression) throws(TemplateError) -> Expression {
        try parseFilterChain(on: Optional(base)) ?? base
    }

    private mutating func parseTest(of base: Expression, line: Int) throws(TemplateError) -> Expression {
        let isNegated = skip(name: "not")
        let name = try parseDottedName()
        var arguments = CallArguments()
        switch current.kind {
        case .symbol("("): arguments = try parseArguments()
        case .name("else"), .name("or"), .name("and"): break
        case .name("is"): throw failure("tests cannot be chained with 'is'")
        case .name, .string, .integer, .float, .symbol("["), .symbol("{"):
            arguments.positional = [try parsePostfix(try parsePrimary())]
        default: break
        }
        let test = try make(.test(base, name, arguments), line: line)
        return isNegated ? try make(.not(test), line: line) : test
    }
}
