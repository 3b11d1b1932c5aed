// Methods of all types but strings.
extension Renderer {
    func call(_ name: String, of receiver: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        switch receiver {
        case .string(let text): return try call(name, of: text, arguments)
        case .dict(let mapping): return try call(name, of: mapping, arguments)
        case .list(let items), .tuple(let items):
            if name == "copy" {
                _ = try arguments.bind(name, [])
                return try list(items.values)
            }
            return try search(name, items.values, arguments)
        case .range: return try search(name, try array(receiver), arguments)
        case .loop(let loop): return try call(name, of: loop, arguments)
        case .cycler(let cycler): return try call(name, of: cycler, arguments)
        case .int, .bool:
            _ = try arguments.bind(name, [])
            let value = receiver.index ?? 0
            return .int(name == "conjugate" ? value : 64 - value.magnitude.leadingZeroBitCount)
        case .float(let number):
            _ = try arguments.bind(name, [])
            return name == "conjugate" ? receiver : .bool(number.isFinite && number == number.rounded())
        default: throw TemplateError(.unsupported, "the method '\(name)' of a \(receiver.typeName) is lacking")
        }
    }

    private func call(
        _ name: String, of mapping: Mapping, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        if name == "get" {
            let values = try arguments.bind(name, ["key", "default"], required: 1, positionalOnly: true)
            return mapping[try key(values[0] ?? .none)] ?? values[1] ?? .none
        }
        _ = try arguments.bind(name, [])
        if name == "copy" { return try dict(zip(mapping.keys, mapping.values).map { ($0, $1) }) }
        guard let view = MappingView(rawValue: name) else {
            throw TemplateError(.unsupported, "the method '\(name)' of a dict is lacking")
        }
        return .view(mapping, view)
    }

    private func search(
        _ name: String, _ values: [Value], _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let names = name == "count" ? ["value"] : ["value", "start", "stop"]
        let bound = try arguments.bind(name, names, required: 1, positionalOnly: true)
        let wanted = bound[0] ?? .none
        if name == "count" {
            var count = 0
            for value in values where try isEqual(value, wanted) { count += 1 }
            return .int(count)
        }
        let range = try span(bound[1], bound[2], count: values.count)
        for position in range where try isEqual(values[position], wanted) { return .int(position) }
        throw TemplateError(.runtime, "the value is not among those that 'index' looks through")
    }

    /// Places that a start and an end name, counted from the end if negative.
    func span(_ start: Value?, _ end: Value?, count: Int) throws(TemplateError) -> Range<Int> {
        func place(_ value: Value?, _ fallback: Int) throws(TemplateError) -> Int {
            guard let value, !value.isNone else { return fallback }
            guard let number = value.index else { throw undefinedOr(value, "a \(value.typeName) is no place") }
            return number < 0 ? max(0, number + count) : number
        }
        let first = try place(start, 0)
        let last = min(count, try place(end, count))
        return first <= last ? first..<last : last..<last
    }

    private func call(
        _ name: String, of loop: LoopState, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        guard arguments.keywords.isEmpty else {
            throw TemplateError(.runtime, "'\(name)' of a loop takes no named arguments")
        }
        if name == "changed" {
            return .bool(
                try loop.change(arguments.positional) { (left, right) throws(TemplateError) in
                    try isEqual(left, right)
                })
        }
        guard !arguments.positional.isEmpty else { throw TemplateError(.runtime, "'cycle' has no values") }
        return arguments.positional[loop.index % arguments.positional.count]
    }

    private func call(
        _ name: String, of cycler: Cycler, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        _ = try arguments.bind(name, [])
        if name == "reset" {
            cycler.position = 0
            return .none
        }
        defer { cycler.position = (cycler.position + 1) % cycler.items.values.count }
        return cycler.items.values[cycler.position]
    }
}
