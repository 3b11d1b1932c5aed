extension Renderer {
    /// `base.name`: an attribute or method, else the item of that name.
    func attribute(_ name: String, of base: Value) throws(TemplateError) -> Value {
        if let value = try ownAttribute(name, of: base) { return value }
        if case .dict(let mapping) = base, let value = mapping[name] { return value }
        return missing(name, of: base)
    }

    /// `base[index]`: an item, else the attribute or method of that name.
    func item(_ index: Value, of base: Value) throws(TemplateError) -> Value {
        if case .undefined(let message) = base { throw TemplateError(.runtime, message) }
        if let value = try ownItem(index, of: base) { return value }
        guard case .string(let name) = index else { return .undefined("a \(base.typeName) has no such item") }
        return try ownAttribute(name.string, of: base) ?? missing(name.string, of: base)
    }

    private func missing(_ name: String, of base: Value) -> Value {
        .undefined("a \(base.typeName) has no attribute '\(name)'")
    }

    private func ownItem(_ index: Value, of base: Value) throws(TemplateError) -> Value? {
        switch base {
        case .dict(let mapping): return try keyIfHashable(index).flatMap { mapping[$0] }
        case .list(let items), .tuple(let items):
            return position(index, count: items.values.count).map { items.values[$0] }
        case .string(let text):
            return try position(index, count: text.units.count).map { (place) throws(TemplateError) in
                try string([text.units[place]], isMarkup: text.isMarkup)
            }
        case .range(let range): return position(index, count: range.count).map { .int(range[$0]) }
        default: return nil
        }
    }

    private func position(_ index: Value, count: Int) -> Int? {
        guard let index = index.index else { return nil }
        let position = index < 0 ? index &+ count : index
        return position >= 0 && position < count ? position : nil
    }

    /// An attribute or method that Python's object has itself; those that the sandbox keeps back are undefined.
    func ownAttribute(_ name: String, of base: Value) throws(TemplateError) -> Value? {
        if case .undefined(let message) = base {
            if ["__class__", "__str__", "__len__", "__init__", "__doc__", "__dict__"].contains(name) {
                return .undefined("the attribute '\(name)' is kept back")
            }
            throw TemplateError(.runtime, message)
        }
        if case .namespace(let namespace) = base { return namespace[name] }
        if name.hasPrefix("__"), name.hasSuffix("__"), name.count > 4 {
            if case .dict(let mapping) = base, mapping[name] != nil {
                throw TemplateError(.unsupported, "a key between double underscores")
            }
            return .undefined("the attribute '\(name)' is kept back")
        }
        switch base {
        case .loop(let loop): return try attribute(name, of: loop)
        case .macro(let macro): return try attribute(name, of: macro)
        case .tuple(let items) where items.isGroup && (name == "grouper" || name == "list"):
            return items.values[name == "grouper" ? 0 : 1]
        case .range(let range) where ["start", "stop", "step"].contains(name):
            return .int(name == "start" ? range.start : name == "stop" ? range.stop : range.step)
        case .cycler(let cycler):
            switch name {
            case "next", "reset": return .method(Method(base, name))
            case "current": return cycler.items.values[cycler.position]
            case "pos": return .int(cycler.position)
            case "items": return .tuple(cycler.items)
            default: return nil
            }
        case .joiner(let joiner):
            return name == "sep" ? joiner.separator : name == "used" ? .bool(joiner.isUsed) : nil
        case .bool, .int, .float:
            if let value = number(name, of: base) { return value }
        default: break
        }
        guard let names = MethodNames.of(base) else { return nil }
        if names.keptBack.contains(name) { return .undefined("the method '\(name)' would change a \(base.typeName)") }
        if names.known.contains(name) { return .method(Method(base, name)) }
        guard !names.lacking.contains(name) else {
            throw TemplateError(.unsupported, "the attribute '\(name)' of a \(base.typeName) is lacking")
        }
        return nil
    }

    private func number(_ name: String, of base: Value) -> Value? {
        switch (name, base) {
        case ("real", .float), ("real", .int): base
        case ("real", .bool(let value)), ("numerator", .bool(let value)): .int(value ? 1 : 0)
        case ("numerator", .int): base
        case ("imag", .float): .float(0)
        case ("imag", _): .int(0)
        case ("denominator", .int), ("denominator", .bool): .int(1)
        default: nil
        }
    }

    private func attribute(_ name: String, of loop: LoopState) throws(TemplateError) -> Value? {
        switch name {
        case "index": .int(loop.index + 1)
        case "index0": .int(loop.index)
        case "revindex": .int(try loop.measure() - loop.index)
        case "revindex0": .int(try loop.measure() - loop.index - 1)
        case "first": .bool(loop.index == 0)
        case "last": .bool(try loop.peek() == nil)
        case "length": .int(try loop.measure())
        case "previtem": loop.index == 0 ? .undefined("there is no previous item") : loop.previous
        case "nextitem": try loop.peek() ?? .undefined("there is no next item")
        case "depth": .int(loop.level + 1)
        case "depth0": .int(loop.level)
        case "cycle", "changed": .method(Method(.loop(loop), name))
        default: nil
        }
    }

    private func attribute(_ name: String, of macro: Macro) throws(TemplateError) -> Value? {
        let plan = program.scopes[macro.definition.scope]
        switch name {
        case "name": return macro.name.isEmpty ? Value.none : .text(macro.name)
        case "arguments": return try tuple(macro.definition.parameters.map { .text($0) })
        case "catch_kwargs": return .bool(plan.hasKeywords)
        case "catch_varargs": return .bool(plan.hasRest)
        case "caller": return .bool(plan.hasCaller)
        case "explicit_caller": return .bool(macro.definition.parameters.contains("caller"))
        default: return nil
        }
    }
}

/// Names of the methods of Python's types.
struct MethodNames {
    let known: Set<String>
    /// Those that change the object: the sandbox makes them undefined.
    var keptBack: Set<String> = []
    /// Those that Python has and that are lacking here.
    var lacking: Set<String> = []

    static func of(_ value: Value) -> MethodNames? {
        switch value {
        case .string(let text): text.isMarkup ? markup : string
        case .list: list
        case .tuple: tuple
        case .dict: dict
        case .range: range
        case .int, .bool: int
        case .float: float
        case .iterator: iterator
        case .view(_, let view): view == .values ? values : keys
        case .function(.dict): MethodNames(known: [], lacking: ["fromkeys"])
        default: nil
        }
    }

    private static let stringNames: Set<String> = [
        "capitalize", "casefold", "center", "count", "endswith", "expandtabs", "find", "format", "format_map", "index",
        "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isprintable",
        "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip", "partition", "removeprefix",
        "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines",
        "startswith", "strip", "swapcase", "title", "upper", "zfill",
    ]
    private static let string = MethodNames(known: stringNames, lacking: ["encode", "maketrans", "translate"])
    private static let markup = MethodNames(
        known: stringNames.subtracting(["format", "format_map"]),
        lacking: [
            "encode", "maketrans", "translate", "format", "format_map", "unescape", "striptags", "escape",
        ])
    private static let list = MethodNames(
        known: ["index", "count", "copy"],
        keptBack: ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"])
    private static let tuple = MethodNames(known: ["index", "count"])
    private static let range = MethodNames(known: ["index", "count"])
    private static let dict = MethodNames(
        known: ["get", "items", "keys", "values", "copy"],
        keptBack: ["clear", "pop", "popitem", "setdefault", "update"], lacking: ["fromkeys"])
    private static let int = MethodNames(
        known: ["conjugate", "bit_length"],
        lacking: ["as_integer_ratio", "bit_count", "from_bytes", "to_bytes", "real"])
    private static let float = MethodNames(
        known: ["is_integer", "conjugate"], lacking: ["as_integer_ratio", "hex", "fromhex"])
    private static let iterator = MethodNames(known: [], lacking: ["send", "throw", "close"])
    private static let keys = MethodNames(known: [], lacking: ["isdisjoint", "mapping"])
    private static let values = MethodNames(known: [], lacking: ["mapping"])
}
