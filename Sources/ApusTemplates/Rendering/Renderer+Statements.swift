/// Where rendering goes after a statement.
enum Flow {
    case onward
    /// The loop around is left.
    case leave
    /// The loop around goes on with its next value.
    case proceed
}

extension Renderer {
    func execute(_ body: [Statement], _ scope: Scope) throws(TemplateError) -> Flow {
        try checkDepth()
        for statement in body {
            do {
                let flow = try execute(statement, scope)
                if flow != .onward { return flow }
            } catch {
                var error = error
                if error.line == nil { error.line = statement.line }
                throw error
            }
        }
        return .onward
    }

    /// A scope with its names: those given, those of the rendering, and those that begin as they are outside.
    func enter(_ index: Int, _ parent: Scope?, _ parameters: [String: Value]) throws(TemplateError) -> Scope {
        let plan = program.scopes[index]
        try spend(1 + plan.names.count)
        var values = parameters
        for (name, source) in plan.names {
            switch source {
            case .parameter: break
            case .variable: values[name] = variable(name)
            case .outer: values[name] = parent?.lookup(name) ?? .undefined("'\(name)' is undefined")
            case .nothing: values[name] = .undefined("'\(name)' is undefined")
            }
        }
        return Scope(values, parent: parent)
    }

    private func execute(_ statement: Statement, _ scope: Scope) throws(TemplateError) -> Flow {
        try spend()
        switch statement.kind {
        case .text(let index): try write(program.strings[index])
        case .output(let expression):
            if expression.isConstant, let value = try fold(expression, scope) {
                try write(try printed(value))
            } else {
                try write(try printed(try evaluate(expression, scope)))
            }
        case .condition(let branches, let otherwise):
            for branch in branches where try isTrue(try evaluate(branch.test, scope)) {
                return try execute(branch.body, scope)
            }
            return try execute(otherwise, scope)
        case .loop(let loop): return try execute(loop, scope)
        case .set(let target, let value):
            try checkNamespaces(of: target, scope)
            try assign(try evaluate(value, scope), to: target, scope)
        case .setBlock(let target, let filter, let block):
            let inner = try enter(block.scope, scope, [:])
            let (text, flow) = try capture { () throws(TemplateError) in try execute(block.body, inner) }
            guard let text else { return flow }
            let value = try filter.map { (filter) throws(TemplateError) in try evaluate(filter, inner, block: text) }
            try checkNamespaces(of: target, scope)
            try assign(value ?? text, to: target, scope)
        case .with(let assignments, let block):
            let inner = try enter(block.scope, scope, [:])
            for (target, value) in assignments { try assign(try evaluate(value, scope), to: target, inner) }
            return try execute(block.body, inner)
        case .filter(let filter, let block):
            let inner = try enter(block.scope, scope, [:])
            let (text, flow) = try capture { () throws(TemplateError) in try execute(block.body, inner) }
            guard let text else { return flow }
            try writeText(try evaluate(filter, inner, block: text))
        case .macro(let definition):
            try keep(scope)
            scope.values[definition.name] = .macro(Macro(definition.name, definition, scope))
        case .call(let call, let definition):
            try keep(scope)
            guard case .call(let callee, let arguments) = call.kind else { break }
            var passed = try self.arguments(arguments, scope, calling: try evaluate(callee, scope))
            guard passed.1.keyword("caller") == nil else {
                throw TemplateError(.runtime, "a block of 'call' gives 'caller' itself")
            }
            passed.1.keywords.append(("caller", .macro(Macro("", definition, scope))))
            try writeText(try self.call(passed.0, passed.1))
        case .generation(let definition):
            let inner = try enter(definition.scope, scope, specialArguments(of: definition, Arguments()))
            return try execute(definition.body, inner)
        case .leave: return .leave
        case .proceed: return .proceed
        }
        return .onward
    }
}

// What is printed.
extension Renderer {
    /// What a block makes, which has to be a string already.
    private func writeText(_ value: Value) throws(TemplateError) {
        guard case .string(let text) = value else {
            throw TemplateError(.runtime, "a block makes a \(value.typeName), which is no text")
        }
        try write(text.units)
    }

    /// jinja2 computes constants while it compiles, where slices are as lenient as items; if that fails, they are left to
    /// the rendering.
    func fold(_ expression: Expression, _ scope: Scope) throws(TemplateError) -> Value? {
        guard !isFolding else { return nil }
        isFolding = true
        defer { isFolding = false }
        do { return try evaluate(expression, scope) } catch {
            guard error.kind == .runtime else { throw error }
            return nil
        }
    }
}

extension Renderer {
    /// Whether a value can be written in a program as it is, as jinja2 has to put a constant there.
    func isPlain(_ value: Value) throws(TemplateError) -> Bool {
        try spend()
        switch value {
        case .none, .bool, .int, .float, .string, .range: return true
        case .list(let items), .tuple(let items):
            for value in items.values { guard try isPlain(value) else { return false } }
            return true
        case .dict(let mapping):
            for value in mapping.keys + mapping.values { guard try isPlain(value) else { return false } }
            return true
        default: return false
        }
    }
}

// Assignments.
extension Renderer {
    private func checkNamespaces(of target: Target, _ scope: Scope) throws(TemplateError) {
        for name in target.namespaces {
            guard case .namespace? = scope.lookup(name) else {
                throw TemplateError(.runtime, "'\(name)' is no namespace, so its attributes cannot be set")
            }
        }
    }

    func assign(_ value: Value, to target: Target, _ scope: Scope) throws(TemplateError) {
        switch target {
        case .name(let name): scope.values[name] = value
        case .attribute(let name, let attribute):
            guard case .namespace(let namespace)? = scope.lookup(name) else {
                throw TemplateError(.runtime, "'\(name)' is no namespace, so its attributes cannot be set")
            }
            try set(attribute, of: namespace, to: value)
        case .tuple(let targets):
            let values = try array(value, atMost: targets.count)
            guard values.count == targets.count else {
                throw TemplateError(
                    .runtime, "\(targets.count) names are assigned \(values.count) values, or more")
            }
            for (target, value) in zip(targets, values) { try assign(value, to: target, scope) }
        }
    }

    func set(_ name: String, of namespace: Namespace, to value: Value) throws(TemplateError) {
        guard !name.hasPrefix("_") else {
            throw TemplateError(.runtime, "a namespace takes no attributes that begin with an underscore")
        }
        if namespace[name] == nil { try meter.take(64) }
        namespace.set(name, value)
    }
}

// Loops.
extension Renderer {
    private func execute(_ loop: Statement.Loop, _ scope: Scope) throws(TemplateError) -> Flow {
        let values = try evaluate(loop.sequence, scope)
        guard loop.isRecursive else { return try run(loop, over: values, scope, level: 0) }
        try write(try printed(try recurse(loop, over: values, scope, level: 0)))
        return .onward
    }

    private func recurse(
        _ loop: Statement.Loop, over values: Value, _ scope: Scope, level: Int
    ) throws(TemplateError) -> Value {
        try nested { () throws(TemplateError) in
            let (text, _) = try capture { () throws(TemplateError) in
                try run(loop, over: values, scope, level: level)
            }
            return text ?? .text("")
        }
    }

    private func run(
        _ loop: Statement.Loop, over values: Value, _ scope: Scope, level: Int
    ) throws(TemplateError) -> Flow {
        let hasLoop = program.scopes[loop.bodyScope].hasLoop
        var iteration = try iterate(values)
        var length = hasLoop ? try? self.length(of: values) : nil
        if let test = loop.test {
            length = nil
            let (source, inner) = (iteration, try enter(loop.testScope, scope, [:]))
            iteration = Iteration(depth: source.depth + 1) { [self] () throws(TemplateError) in
                while let value = try source.next() {
                    try assign(value, to: loop.target, inner)
                    if try isTrue(try evaluate(test, inner)) { return value }
                }
                return nil
            }
        }
        var recursion: ((Value, Int) throws(TemplateError) -> Value)?
        if loop.isRecursive {
            recursion = { [unowned self] (values, level) throws(TemplateError) in
                try recurse(loop, over: values, scope, level: level)
            }
        }
        let state = LoopState(iteration, length: length, level: level, recurse: recursion)
        var isEmpty = true
        while let value = try state.advance() {
            try spend()
            let inner = try enter(loop.bodyScope, scope, hasLoop ? ["loop": .loop(state)] : [:])
            try assign(value, to: loop.target, inner)
            let flow = try execute(loop.body, inner)
            if flow == .leave { break }
            // In jinja2 only a body that comes to its end counts, for 'else'.
            if flow == .onward { isEmpty = false }
        }
        guard isEmpty, !loop.otherwise.isEmpty else { return .onward }
        return try execute(loop.otherwise, try enter(loop.otherwiseScope, scope, [:]))
    }
}
