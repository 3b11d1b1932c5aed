/// Names of jinja2's filters.
enum Filters {
    private static let names: Set<String> = [
        "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e", "escape", "first",
        "float", "forceescape", "format", "groupby", "indent", "int", "items", "join", "last", "length", "list",
        "lower",
        "map", "max", "min", "reject", "rejectattr", "replace", "reverse", "round", "safe", "select", "selectattr",
        "slice", "sort", "string", "sum", "title", "tojson", "trim", "truncate", "unique", "upper", "urlencode",
        "wordcount",
    ]

    /// Those that jinja2 has and that are lacking here.
    static let lacking: Set<String> = [
        "filesizeformat", "pprint", "random", "striptags", "urlize", "wordwrap", "xmlattr",
    ]

    static func isKnown(_ name: String) -> Bool { names.contains(name) || lacking.contains(name) }
}

extension Renderer {
    func apply(filter name: String, to value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        guard Filters.isKnown(name) else { throw TemplateError(.runtime, "there is no filter named '\(name)'") }
        guard !Filters.lacking.contains(name) else {
            throw TemplateError(.unsupported, "the filter '\(name)' is lacking")
        }
        if let result = try applyToString(name, value, arguments) { return result }
        if let result = try applyToNumber(name, value, arguments) { return result }
        var result = try applyToSequence(name, value, arguments)
        if result == nil { result = try applyToEach(name, value, arguments) }
        if let result {
            if case .iterator(let iteration) = result {
                guard iteration.depth <= Limits.nesting else {
                    throw TemplateError(.limit, "values nest deeper than \(Limits.nesting)")
                }
                try meter.take(256)
            }
            return result
        }
        throw TemplateError(.unsupported, "the filter '\(name)' is lacking")
    }

    /// What a filter takes besides its operand.
    func extra(
        _ name: String, _ arguments: Arguments, _ parameters: [String], required: Int = 0
    ) throws(TemplateError) -> [Value?] {
        try arguments.bind("the filter '\(name)'", parameters, required: required)
    }

    /// The operand as a string; a `Markup` stays one.
    private func soft(_ value: Value) throws(TemplateError) -> Text {
        if case .string(let text) = value { return text }
        return Text(try printed(value))
    }

    private func applyToString(
        _ name: String, _ value: Value, _ arguments: Arguments
    ) throws(TemplateError) -> Value? {
        switch name {
        case "upper", "lower", "capitalize":
            _ = try extra(name, arguments, [])
            let text = try soft(value)
            return try string(try recased(name, text.units), isMarkup: text.isMarkup)
        case "title":
            _ = try extra(name, arguments, [])
            return try string(titledWords(try soft(value).units))
        case "trim":
            let chars = try extra(name, arguments, ["chars"])[0] ?? .none
            return try strip(try soft(value), chars, left: true, right: true)
        case "string":
            _ = try extra(name, arguments, [])
            if case .string = value { return value }
            return try string(try printed(value))
        case "safe":
            _ = try extra(name, arguments, [])
            return try string(try printed(value), isMarkup: true)
        case "e", "escape":
            _ = try extra(name, arguments, [])
            return try string(try escaped(value), isMarkup: true)
        case "forceescape":
            _ = try extra(name, arguments, [])
            return try string(escaped(Text(try printed(value))), isMarkup: true)
        case "replace":
            let values = try extra(name, arguments, ["old", "new", "count"], required: 2)
            let limit = values[2] ?? .none
            return try string(
                try replaced(
                    try printed(value), try printed(values[0] ?? .none), try printed(values[1] ?? .none),
                    limit.isNone ? -1 : try needIndex(limit, -1, name)))
        case "format":
            guard arguments.positional.isEmpty || arguments.keywords.isEmpty else {
                throw TemplateError(.runtime, "a format takes values or named values, not both")
            }
            let text = try soft(value)
            let values =
                arguments.keywords.isEmpty
                ? try tuple(arguments.positional) : try dict(arguments.keywords.map { (.text($0.name), $0.value) })
            return try string(try formatted(text, values), isMarkup: text.isMarkup)
        case "center":
            let width = try needIndex(try extra(name, arguments, ["width"])[0], 80, name)
            let text = try soft(value)
            return try string(try padded(text.units, width, 32, name), isMarkup: text.isMarkup)
        case "indent": return try indented(value, try extra(name, arguments, ["width", "first", "blank"]))
        case "truncate":
            return try truncated(value, try extra(name, arguments, ["length", "killwords", "end", "leeway"]))
        case "wordcount":
            _ = try extra(name, arguments, [])
            var (count, wasWord) = (0, false)
            for unit in try soft(value).units {
                let isWord = unit.scalar.isWord
                if isWord, !wasWord { count += 1 }
                wasWord = isWord
            }
            return .int(count)
        case "urlencode":
            _ = try extra(name, arguments, [])
            return try string(try urlEncoded(value))
        case "tojson": return try json(value, arguments)
        default: return nil
        }
    }

    /// Words begin after spaces, hyphens and opening brackets.
    private func titledWords(_ units: [UInt32]) -> [UInt32] {
        func isBreak(_ unit: UInt32) -> Bool { unit.isSpaceUnit || "-({[<".unicodeScalars.contains(unit.scalar) }
        var (result, start) = ([] as [UInt32], 0)
        while start < units.count {
            let kind = isBreak(units[start])
            var end = start
            while end < units.count, isBreak(units[end]) == kind { end += 1 }
            result += CaseMapping.upper([units[start]]) + CaseMapping.lower(Array(units[start + 1..<end]))
            start = end
        }
        return result
    }

    private func indented(_ value: Value, _ values: [Value?]) throws(TemplateError) -> Value {
        guard case .string(let text) = value else {
            throw undefinedOr(value, "'indent' takes a string, not a \(value.typeName)")
        }
        guard !text.isMarkup else { throw TemplateError(.unsupported, "'indent' of what is marked as safe") }
        var indention: [UInt32]
        switch values[0] {
        case .string(let width)?: indention = width.units
        case let width:
            let count = max(0, try needIndex(width, 4, "indent"))
            try reserve(count)
            indention = Array(repeating: 32, count: count)
        }
        if case .string(let width)? = values[0], width.isMarkup {
            throw TemplateError(.unsupported, "'indent' with what is marked as safe")
        }
        let first = try isTrue(values[1] ?? .bool(false))
        let blank = try isTrue(values[2] ?? .bool(false))
        var result: [UInt32] = first ? indention : []
        for (position, line) in lines(text.units + [10], keepsEnds: false).enumerated() {
            if position > 0 {
                result.append(10)
                if blank || !line.isEmpty {
                    try reserve(result.count + indention.count)
                    result += indention
                }
            }
            result += line
        }
        return try string(result)
    }

    private func truncated(_ value: Value, _ values: [Value?]) throws(TemplateError) -> Value {
        let length = try needIndex(values[0], 255, "truncate")
        let end = try values[2].map { (value) throws(TemplateError) in try needText(value, "truncate") } ?? Text("...")
        var leeway = 5
        if let given = values[3], !given.isNone { leeway = try needIndex(given, 5, "truncate") }
        guard length >= end.units.count, leeway >= 0 else {
            throw TemplateError(.runtime, "'truncate' takes lengths that make sense")
        }
        guard try self.length(of: value) - leeway > length else { return value }
        guard case .string(let text) = value else {
            throw TemplateError(.runtime, "'truncate' takes a string, not a \(value.typeName)")
        }
        guard !text.isMarkup, !end.isMarkup else {
            throw TemplateError(.unsupported, "'truncate' of what is marked as safe")
        }
        var kept = text.units.prefix(length - end.units.count)
        if !(try isTrue(values[1] ?? .bool(false))), let space = kept.lastIndex(where: { $0.scalar == " " }) {
            kept = kept[..<space]
        }
        return try string(kept + end.units)
    }

    private func json(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let values = try extra("tojson", arguments, ["ensure_ascii", "indent", "separators", "sort_keys"])
        var dump = JSONDump(renderer: self)
        dump.isASCII = try isTrue(values[0] ?? .bool(false))
        dump.sortsKeys = try isTrue(values[3] ?? .bool(false))
        switch values[1] {
        case nil, .none?: break
        case .string(let text)?: dump.indent = text.units
        case let indent?:
            let count = max(0, try needIndex(indent, 0, "tojson"))
            try reserve(count)
            dump.indent = Array(repeating: 32, count: count)
        }
        if dump.indent != nil { dump.itemSeparator = Text(",").units }
        if let separators = values[2], !separators.isNone {
            let pair = try array(separators, atMost: 2)
            guard pair.count == 2 else { throw TemplateError(.runtime, "'tojson' takes two separators") }
            dump.itemSeparator = try needText(pair[0], "tojson").units
            dump.keySeparator = try needText(pair[1], "tojson").units
        }
        var units: [UInt32] = []
        try dump.write(value, into: &units)
        return try string(units)
    }

    private func urlEncoded(_ value: Value) throws(TemplateError) -> [UInt32] {
        func quote(_ value: Value, isQuery: Bool) throws(TemplateError) -> [UInt32] {
            var result: [UInt32] = []
            for unit in try printed(value) {
                guard let scalar = Unicode.Scalar(unit & Text.scalarMask) else {
                    throw TemplateError(.runtime, "half of a surrogate pair cannot be encoded")
                }
                let isKept = scalar.isASCII && scalar.isWord || "_.-~".unicodeScalars.contains(scalar)
                if isKept || scalar == "/" && !isQuery {
                    result.append(unit)
                } else if scalar == " ", isQuery {
                    result.append("+", unit & Text.mark)
                } else {
                    for byte in String(scalar).utf8 {
                        result.append("%" + UInt32(byte).hexadecimal(2).uppercased(), unit & Text.mark)
                    }
                }
            }
            return result
        }
        var pairs: [Value]
        switch value {
        case .dict(let mapping): pairs = try array(.view(mapping, .items))
        case .list, .tuple, .view, .iterator, .undefined: pairs = try array(value)
        default: return try quote(value, isQuery: false)
        }
        var parts: [[UInt32]] = []
        for pair in pairs {
            let values = try array(pair, atMost: 2)
            guard values.count == 2 else { throw TemplateError(.runtime, "'urlencode' takes pairs") }
            parts.append(try quote(values[0], isQuery: true) + [61] + quote(values[1], isQuery: true))
        }
        return Array(parts.joined(separator: [38]))
    }
}
