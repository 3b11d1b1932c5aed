extension Renderer {
    func applyToEach(
        _ name: String, _ value: Value, _ arguments: Arguments
    ) throws(TemplateError) -> Value? {
        switch name {
        case "map": return try mapped(value, arguments)
        case "select", "reject", "selectattr", "rejectattr":
            let wanted = name.hasPrefix("select")
            let hasPath = name.hasSuffix("attr")
            return .iterator(
                Iteration(
                    depth: value.depth + 1,
                    lazily(value) { [self] (value) throws(TemplateError) in
                        guard try isTrue(value) else { return Iteration([], depth: 1) }
                        var rest = arguments
                        var path: Value = .none
                        if hasPath {
                            guard !rest.positional.isEmpty else {
                                throw TemplateError(.runtime, "'\(name)' needs the name of an attribute")
                            }
                            path = rest.positional.removeFirst()
                        }
                        let test = rest.positional.isEmpty ? nil : rest.positional.removeFirst()
                        let source = try iterate(value)
                        return Iteration(depth: 1) { [self] () throws(TemplateError) in
                            while let element = try source.next() {
                                try spend()
                                let operand = try follow(path, in: element)
                                if try holds(test, operand, rest) == wanted { return element }
                            }
                            return nil
                        }
                    }))
        case "attr":
            guard case .string(let attribute)? = try extra(name, arguments, ["name"], required: 1)[0] else {
                throw TemplateError(.runtime, "'attr' takes a string")
            }
            return try ownAttribute(attribute.string, of: value)
                ?? .undefined("a \(value.typeName) has no attribute '\(attribute.string)'")
        default: return nil
        }
    }

    private func holds(_ name: Value?, _ value: Value, _ arguments: Arguments) throws(TemplateError) -> Bool {
        guard let name else { return try isTrue(value) }
        guard case .string(let name) = name else { throw TemplateError(.runtime, "a test is named by a string") }
        return try test(name.string, value, arguments)
    }

    private func mapped(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        .iterator(
            Iteration(
                depth: value.depth + 1,
                lazily(value) { [self] (value) throws(TemplateError) in
                    guard try isTrue(value) else { return Iteration([], depth: 1) }
                    if arguments.positional.isEmpty, let path = arguments.keyword("attribute") {
                        let extra = arguments.keywords.filter { $0.name != "attribute" && $0.name != "default" }
                        guard extra.isEmpty else { throw TemplateError(.runtime, "'map' takes no '\(extra[0].name)'") }
                        let fallback = arguments.keyword("default") ?? .none
                        let source = try iterate(value)
                        return Iteration(depth: 1) { [self] () throws(TemplateError) in
                            try spend()
                            return try source.next().map { (element) throws(TemplateError) in
                                try follow(path, in: element, fallback: fallback)
                            }
                        }
                    }
                    var rest = arguments
                    guard !rest.positional.isEmpty else { throw TemplateError(.runtime, "'map' needs a filter") }
                    guard case .string(let filter) = rest.positional.removeFirst() else {
                        throw TemplateError(.runtime, "a filter is named by a string")
                    }
                    let source = try iterate(value)
                    return Iteration(depth: 1) { [self] () throws(TemplateError) in
                        try spend()
                        return try source.next().map { (element) throws(TemplateError) in
                            try apply(filter: filter.string, to: element, rest)
                        }
                    }
                }))
    }

    func filtered(
        _ value: Value, _ isKept: @escaping (Value) throws(TemplateError) -> Bool
    ) throws(TemplateError) -> Value {
        .iterator(
            Iteration(
                depth: value.depth + 1,
                lazily(value) { [self] (value) throws(TemplateError) in
                    let source = try iterate(value)
                    return Iteration(depth: 1) { () throws(TemplateError) in
                        while let element = try source.next() {
                            if try isKept(element) { return element }
                        }
                        return nil
                    }
                }))
    }

    /// Steps over what is made of a value once the first step is asked for, as Python's generators do.
    func lazily(
        _ value: Value, _ make: @escaping (Value) throws(TemplateError) -> Iteration
    ) -> Iteration.Step {
        var source: Iteration?
        return { () throws(TemplateError) in
            let iteration: Iteration
            if let source {
                iteration = source
            } else {
                iteration = try make(value)
                source = iteration
            }
            return try iteration.next()
        }
    }
}

// Attributes named by a path, as `user.name` or `pairs.0`.
extension Renderer {
    /// Several paths with commas between them.
    func paths(_ attribute: Value) throws(TemplateError) -> [Value] {
        guard case .string(let text) = attribute else { return [attribute] }
        let pieces = text.units.split(separator: 44, omittingEmptySubsequences: false)
        return try pieces.map { (piece) throws(TemplateError) in try string(Array(piece)) }
    }

    func follow(_ path: Value, in value: Value, fallback: Value = .none) throws(TemplateError) -> Value {
        if path.isNone { return value }
        var value = value
        for part in try parts(of: path) {
            value = try item(part, of: value)
            if !fallback.isNone, value.isUndefined { value = fallback }
        }
        return value
    }

    private func parts(of path: Value) throws(TemplateError) -> [Value] {
        guard case .string(let text) = path else { return [path] }
        let pieces = text.units.map { $0 & Text.scalarMask }.split(separator: 46, omittingEmptySubsequences: false)
        return try pieces.map { (piece) throws(TemplateError) in
            let isNumber = !piece.isEmpty && piece.allSatisfy { $0.scalar.isPythonDigit }
            guard isNumber else { return try string(Array(piece)) }
            guard let number = Int(String(units: piece)) else {
                throw TemplateError(.unsupported, "a path with such a number")
            }
            return .int(number)
        }
    }
}
