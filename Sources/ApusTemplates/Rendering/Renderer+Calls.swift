#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Renderer {
    func arguments(
        _ written: CallArguments, _ scope: Scope, calling function: Value
    ) throws(TemplateError) -> (Value, Arguments) {
        var arguments = Arguments()
        for expression in written.positional { arguments.positional.append(try evaluate(expression, scope)) }
        for (name, expression) in written.keywords {
            arguments.keywords.append((name, try evaluate(expression, scope)))
        }
        if let list = written.list { arguments.positional += try array(try evaluate(list, scope)) }
        if let mapping = written.mapping {
            guard case .dict(let mapping) = try evaluate(mapping, scope) else {
                throw TemplateError(.runtime, "behind '**' stands no dictionary")
            }
            for (key, value) in zip(mapping.keys, mapping.values) {
                guard case .string(let name) = key, arguments.keyword(name.string) == nil else {
                    throw TemplateError(.runtime, "the keys behind '**' must be strings that are not given already")
                }
                arguments.keywords.append((name.string, value))
            }
        }
        return (function, arguments)
    }

    func call(_ function: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        switch function {
        case .undefined(let message): throw TemplateError(.runtime, message)
        case .macro(let macro): return try call(macro, arguments)
        case .method(let method): return try call(method.name, of: method.receiver, arguments)
        case .function(let function): return try call(function, arguments)
        case .loop(let loop):
            let values = try arguments.bind("loop", ["iterable"], required: 1)
            guard let recurse = loop.recurse else {
                throw TemplateError(.runtime, "the loop is not marked 'recursive'")
            }
            return try recurse(values[0] ?? .none, loop.level + 1)
        case .joiner(let joiner):
            _ = try arguments.bind("joiner", [])
            defer { joiner.isUsed = true }
            return joiner.isUsed ? joiner.separator : .text("")
        default: throw TemplateError(.runtime, "a \(function.typeName) cannot be called")
        }
    }

    /// Bounds how deep macros and recursive loops call each other.
    func nested<Result>(_ body: () throws(TemplateError) -> Result) throws(TemplateError) -> Result {
        callDepth += 1
        defer { callDepth -= 1 }
        guard callDepth <= Limits.nesting else {
            throw TemplateError(.limit, "calls nest deeper than \(Limits.nesting)")
        }
        return try body()
    }
}

// Macros.
extension Renderer {
    private func call(_ macro: Macro, _ arguments: Arguments) throws(TemplateError) -> Value {
        let definition = macro.definition
        let plan = program.scopes[definition.scope]
        var (values, rest) = ([:] as [String: Value], arguments)
        rest.positional.removeFirst(min(definition.parameters.count, arguments.positional.count))
        for (position, name) in definition.parameters.enumerated() {
            if position < arguments.positional.count {
                values[name] = arguments.positional[position]
            } else if let given = rest.keywords.firstIndex(where: { $0.name == name }) {
                values[name] = rest.keywords.remove(at: given).value
            }
        }
        if plan.hasCaller, !definition.parameters.contains("caller") {
            rest.keywords.removeAll { $0.name == "caller" }
        }
        guard plan.hasKeywords || rest.keywords.isEmpty else {
            throw TemplateError(.runtime, "the macro '\(macro.name)' takes no argument '\(rest.keywords[0].name)'")
        }
        guard plan.hasRest || rest.positional.isEmpty else {
            throw TemplateError(
                .runtime, "the macro '\(macro.name)' takes \(definition.parameters.count) arguments")
        }
        rest.keywords += arguments.keywords.filter { $0.name == "caller" && plan.hasCaller }
        values.merge(try specialArguments(of: definition, rest)) { given, _ in given }
        return try nested { () throws(TemplateError) in
            let scope = try enter(definition.scope, macro.scope, values)
            // A default may speak of the parameters before it.
            for name in definition.parameters where values[name] == nil {
                scope.values[name] = .undefined("the parameter '\(name)' was not provided")
            }
            let required = definition.parameters.count - definition.defaults.count
            for (position, name) in definition.parameters.enumerated()
            where position >= required && values[name] == nil {
                scope.values[name] = try evaluate(definition.defaults[position - required], scope)
            }
            return try capture { () throws(TemplateError) in try execute(definition.body, scope) }.0 ?? .text("")
        }
    }

    /// `caller`, `kwargs` and `varargs`, as far as a macro speaks of them.
    func specialArguments(
        of definition: Statement.Macro, _ rest: Arguments
    ) throws(TemplateError) -> [String: Value] {
        let plan = program.scopes[definition.scope]
        var values: [String: Value] = [:]
        if plan.hasCaller, !definition.parameters.contains("caller") {
            let caller = rest.keyword("caller") ?? .none
            values["caller"] = caller.isNone ? .undefined("there is no caller") : caller
        }
        if plan.hasKeywords {
            let others = rest.keywords.filter { $0.name != "caller" || !plan.hasCaller }
            values["kwargs"] = try dict(others.map { (.text($0.name), $0.value) })
        }
        if plan.hasRest { values["varargs"] = try tuple(rest.positional) }
        return values
    }
}

// Functions.
extension Renderer {
    private func call(_ function: Function, _ arguments: Arguments) throws(TemplateError) -> Value {
        switch function {
        case .range: return try range(arguments)
        case .dict: return try dict(try pairs(arguments, "dict"))
        case .namespace:
            let namespace = Namespace([])
            try meter.take(96)
            for (name, value) in try pairs(arguments, "namespace") {
                guard case .string(let text) = name else {
                    throw TemplateError(.unsupported, "a namespace with attributes that are no strings")
                }
                try set(text.string, of: namespace, to: value)
            }
            keep(namespace)
            return .namespace(namespace)
        case .cycler:
            guard arguments.keywords.isEmpty, !arguments.positional.isEmpty else {
                throw TemplateError(.runtime, "cycler needs at least one value")
            }
            return .cycler(Cycler(try items(arguments.positional)))
        case .joiner:
            return .joiner(Joiner(try arguments.bind("joiner", ["sep"])[0] ?? .text(", ")))
        case .lipsum: throw TemplateError(.unsupported, "the function 'lipsum' is lacking")
        case .raiseException:
            let message = try arguments.bind("raise_exception", ["message"], required: 1)[0] ?? .none
            throw TemplateError(.runtime, String(units: try printed(message)))
        case .strftimeNow:
            guard case .string(let format)? = try arguments.bind("strftime_now", ["format"], required: 1)[0] else {
                throw TemplateError(.runtime, "strftime_now needs a string")
            }
            return try string(try formattedTime(format.string))
        }
    }

    private func pairs(
        _ arguments: Arguments, _ function: String
    ) throws(TemplateError) -> [(name: Value, value: Value)] {
        guard arguments.positional.count <= 1 else {
            throw TemplateError(.runtime, "\(function) takes one argument, and named ones")
        }
        var pairs: [(name: Value, value: Value)] = []
        switch arguments.positional.first {
        case nil: break
        case .undefined(let message)?: throw TemplateError(.runtime, message)
        case .dict(let mapping)?: pairs += zip(mapping.keys, mapping.values).map { ($0, $1) }
        case let value?:
            for pair in try array(value) {
                let parts = try array(pair, atMost: 2)
                guard parts.count == 2 else { throw TemplateError(.runtime, "\(function) needs pairs") }
                pairs.append((parts[0], parts[1]))
            }
        }
        return pairs + arguments.keywords.map { (.text($0.name), $0.value) }
    }

    private func range(_ arguments: Arguments) throws(TemplateError) -> Value {
        guard arguments.keywords.isEmpty, (1...3).contains(arguments.positional.count) else {
            throw TemplateError(.runtime, "range takes one to three integers")
        }
        var numbers: [Int] = []
        for value in arguments.positional {
            if case .undefined(let message) = value { throw TemplateError(.runtime, message) }
            guard let number = value.index else {
                throw TemplateError(.runtime, "range takes integers, not a \(value.typeName)")
            }
            numbers.append(number)
        }
        let (start, stop) = numbers.count == 1 ? (0, numbers[0]) : (numbers[0], numbers[1])
        let step = numbers.count == 3 ? numbers[2] : 1
        guard step != 0 else { throw TemplateError(.runtime, "the step of a range must not be zero") }
        let (span, overflows) = stop.subtractingReportingOverflow(start)
        guard !overflows, step != .min, span != .min else { throw TemplateError(.runtime, "a range is too big") }
        let isEmpty = step > 0 ? span <= 0 : span >= 0
        let count = isEmpty ? 0 : (abs(span) - 1) / abs(step) + 1
        guard count <= 100_000 else { throw TemplateError(.runtime, "a range is bigger than 100000") }
        return .range(PythonRange(start: start, stop: stop, step: step, count: count))
    }

    private func formattedTime(_ format: String) throws(TemplateError) -> [UInt32] {
        guard format.utf8.count <= 1000, !format.utf8.contains(0) else {
            throw TemplateError(.unsupported, "a format of time of more than 1000 bytes")
        }
        var now = time(nil)
        var parts = tm()
        guard localtime_r(&now, &parts) != nil else { throw TemplateError(.runtime, "the time is unknown") }
        // Microseconds are Python's own.
        let written = format.split(separator: "%%", omittingEmptySubsequences: false)
            .map { piece in String(piece).replacingMicroseconds(with: "000000") }.joined(separator: "%%")
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        let count = strftime(&buffer, buffer.count, written, &parts)
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self).unicodeScalars
            .map(\.value)
    }
}

extension String {
    fileprivate func replacingMicroseconds(with digits: String) -> String {
        var text = ""
        var wasPercent = false
        for character in self {
            if wasPercent, character == "f" {
                text.removeLast()
                text += digits
            } else {
                text.append(character)
            }
            wasPercent = character == "%"
        }
        return text
    }
}
