/// Finds out for each scope how it comes to its names, as jinja2's compiler does: a name that a scope assigns begins as
/// what it is outside, or as nothing if no scope outside speaks of it, even if there is a variable of that name.
struct Resolver {
    private(set) var plans: [ScopePlan]

    init(scopeCount: Int) { plans = Array(repeating: ScopePlan(), count: scopeCount) }

    /// Where a statement stands.
    private struct Place {
        /// The scopes around it, outermost first.
        var scopes: [Int]
        /// Whether a loop is there to be left.
        var isInLoop = false
        /// Whether it stands in a condition, where jinja2 looks for filters and tests only when they are used.
        var isConditional = false
    }

    mutating func resolve(root body: [Statement], scope: Int) throws(TemplateError) {
        plans[scope] = analyze(body, from: ScopePlan(), outside: [])
        try resolve(body, at: Place(scopes: [scope]))
    }

    private func names(of scopes: [Int]) -> Set<String> {
        scopes.reduce(into: []) { $0.formUnion(plans[$1].names.keys) }
    }
}

// What statements do to the names of their own scope; those inside them with scopes of their own are left out.
extension Resolver {
    private func analyze(_ body: [Statement], from plan: ScopePlan, outside: [Int]) -> ScopePlan {
        var analysis = ScopeAnalysis(plan: plan, outside: names(of: outside))
        analysis.visit(body)
        return analysis.plan
    }
}

// Statements with scopes of their own.
extension Resolver {
    private mutating func resolve(_ body: [Statement], at place: Place) throws(TemplateError) {
        for statement in body {
            do { try resolve(statement, at: place) } catch {
                throw TemplateError(error.kind, error.message, line: error.line ?? statement.line)
            }
        }
    }

    private mutating func resolve(_ statement: Statement, at place: Place) throws(TemplateError) {
        switch statement.kind {
        case .text: break
        case .output(let value): try check(value, at: place)
        case .condition(let branches, let otherwise):
            var inner = place
            inner.isConditional = true
            for branch in branches {
                try check(branch.test, at: inner)
                try resolve(branch.body, at: inner)
            }
            try resolve(otherwise, at: inner)
        case .loop(let loop): try resolve(loop, at: place)
        case .set(_, let value): try check(value, at: place)
        case .setBlock(_, let filter, let block):
            let inner = enter(block.scope, block.body, with: [], at: place)
            try resolve(block.body, at: inner)
            if let filter { try check(filter, at: inner) }
        case .with(let assignments, let block):
            for (_, value) in assignments { try check(value, at: place) }
            let inner = enter(block.scope, block.body, with: assignments.flatMap { $0.0.names }, at: place)
            try resolve(block.body, at: inner)
        case .filter(let filter, let block):
            var plan = ScopeAnalysis(plan: ScopePlan(), outside: names(of: place.scopes))
            plan.visit(block.body)
            plan.load(filter)
            plans[block.scope] = plan.plan
            var inner = Place(scopes: place.scopes + [block.scope])
            inner.isInLoop = place.isInLoop
            try resolve(block.body, at: inner)
            try check(filter, at: inner)
        case .macro(let macro): try resolve(macro, at: place)
        case .call(let call, let macro):
            try check(call, at: place)
            try resolve(macro, at: place)
        case .generation(let macro): try resolve(macro, at: place)
        case .leave, .proceed:
            guard place.isInLoop else { throw TemplateError(.syntax, "there is no loop to leave or to go on with") }
        }
    }

    private mutating func enter(
        _ scope: Int, _ body: [Statement], with parameters: [String], at place: Place
    ) -> Place {
        var plan = plans[scope]
        for name in parameters { plan.names[name] = .parameter }
        plans[scope] = analyze(body, from: plan, outside: place.scopes)
        return Place(scopes: place.scopes + [scope], isInLoop: place.isInLoop)
    }

    private mutating func resolve(_ loop: Statement.Loop, at place: Place) throws(TemplateError) {
        var assignsLoop = loop.target.names.contains("loop")
        for statements in [loop.body, loop.otherwise] {
            statements.forEachAssignedName { if $0 == "loop" { assignsLoop = true } }
        }
        guard !assignsLoop else { throw TemplateError(.syntax, "'loop' cannot be assigned to in a loop") }

        let hasLoop = loop.isRecursive || !loop.body.undeclared(["loop"]).isEmpty
        plans[loop.bodyScope].hasLoop = hasLoop
        let targets = loop.target.names
        var inner = enter(loop.bodyScope, loop.body, with: (hasLoop ? ["loop"] : []) + targets, at: place)
        inner.isInLoop = true
        try check(loop.sequence, at: place)
        if let test = loop.test {
            var plan = ScopePlan()
            for name in targets { plan.names[name] = .parameter }
            var analysis = ScopeAnalysis(plan: plan, outside: names(of: place.scopes))
            analysis.load(test)
            plans[loop.testScope] = analysis.plan
            try check(test, at: Place(scopes: place.scopes + [loop.testScope]))
        }
        try resolve(loop.body, at: inner)
        var otherwise = enter(loop.otherwiseScope, loop.otherwise, with: [], at: place)
        otherwise.isInLoop = place.isInLoop && !loop.isRecursive
        try resolve(loop.otherwise, at: otherwise)
    }

    private mutating func resolve(_ macro: Statement.Macro, at place: Place) throws(TemplateError) {
        var plan = ScopePlan()
        for name in macro.parameters { plan.names[name] = .parameter }
        let special = macro.body.undeclared(["caller", "kwargs", "varargs"])
        if special.contains("caller") {
            if let position = macro.parameters.firstIndex(of: "caller") {
                guard position >= macro.parameters.count - macro.defaults.count else {
                    throw TemplateError(.syntax, "the parameter 'caller' needs a default")
                }
            } else {
                plan.names["caller"] = .parameter
            }
            plan.hasCaller = true
        }
        plan.hasKeywords = special.contains("kwargs") && !macro.parameters.contains("kwargs")
        plan.hasRest = special.contains("varargs") && !macro.parameters.contains("varargs")
        if plan.hasKeywords { plan.names["kwargs"] = .parameter }
        if plan.hasRest { plan.names["varargs"] = .parameter }
        var analysis = ScopeAnalysis(plan: plan, outside: names(of: place.scopes))
        for value in macro.defaults { analysis.load(value) }
        analysis.visit(macro.body)
        plans[macro.scope] = analysis.plan
        let inner = Place(scopes: place.scopes + [macro.scope])
        for value in macro.defaults { try check(value, at: inner) }
        try resolve(macro.body, at: inner)
    }
}

// Filters and tests.
extension Resolver {
    private func check(_ expression: Expression, at place: Place) throws(TemplateError) {
        var isConditional = place.isConditional
        switch expression.kind {
        case .filter(_, let name, _) where !isConditional && !Filters.isKnown(name):
            throw TemplateError(.syntax, "there is no filter named '\(name)'", line: expression.line)
        case .test(_, let name, _) where !isConditional && !Tests.isKnown(name):
            throw TemplateError(.syntax, "there is no test named '\(name)'", line: expression.line)
        case .filter(_, let name, _) where Filters.lacking.contains(name):
            throw TemplateError(.unsupported, "the filter '\(name)' is lacking", line: expression.line)
        case .conditional: isConditional = true
        default: break
        }
        var inner = place
        inner.isConditional = isConditional
        for child in expression.kind.children { try check(child, at: inner) }
    }
}
