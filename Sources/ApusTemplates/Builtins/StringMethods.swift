// Methods of strings.
extension Renderer {
    func call(_ name: String, of text: Text, _ arguments: Arguments) throws(TemplateError) -> Value {
        switch name {
        case "upper", "lower", "capitalize", "title", "swapcase", "casefold":
            _ = try arguments.bind(name, [])
            return try string(recased(name, text.units), isMarkup: text.isMarkup)
        case "strip", "lstrip", "rstrip":
            let chars = try arguments.bind(name, ["chars"], positionalOnly: true)[0] ?? .none
            return try strip(text, chars, left: name != "rstrip", right: name != "lstrip")
        case "startswith", "endswith": return try hasAffix(name, text, arguments)
        case "split", "rsplit": return try split(text, arguments, fromEnd: name == "rsplit")
        case "splitlines":
            let keeps = try arguments.bind(name, ["keepends"])[0] ?? .bool(false)
            guard let keeps = keeps.index else { throw undefinedOr(keeps, "keepends is no boolean") }
            return try list(try parts(lines(text.units, keepsEnds: keeps != 0), of: text))
        case "partition", "rpartition":
            let separator = try text1(arguments, name)
            guard !separator.units.isEmpty else { throw emptySeparator }
            let found = try find(separator.units, in: text.units[...], fromEnd: name == "rpartition")
            let empty: ArraySlice<UInt32> = []
            guard let found else {
                let whole = text.units[...]
                return try tuple(
                    try parts(name == "partition" ? [whole, empty, empty] : [empty, empty, whole], of: text))
            }
            let end = found + separator.units.count
            return try tuple(
                try parts([text.units[..<found], text.units[found..<end], text.units[end...]], of: text))
        case "removeprefix", "removesuffix":
            let part = try text1(arguments, name).units
            let isPrefix = name == "removeprefix"
            guard matches(part, text.units, at: isPrefix ? 0 : text.units.count - part.count) else {
                return .string(text)
            }
            let rest = isPrefix ? text.units.dropFirst(part.count) : text.units.dropLast(part.count)
            return try string(Array(rest), isMarkup: text.isMarkup)
        case "replace":
            let values = try arguments.bind(name, ["old", "new", "count"], required: 2, positionalOnly: true)
            let (old, new) = (try needText(values[0], name), try needText(values[1], name))
            let count = try needIndex(values[2], -1, name)
            let units = try replaced(text.units, old.units, text.isMarkup ? escaped(new) : new.units, count)
            return try string(units, isMarkup: text.isMarkup)
        case "find", "rfind", "index", "rindex", "count": return try locate(name, text, arguments)
        case "join":
            let values = try array(
                try arguments.bind(name, ["iterable"], required: 1, positionalOnly: true)[0] ?? .none)
            let pieces = try values.map { (value) throws(TemplateError) in
                text.isMarkup ? try escaped(value) : try needText(value, name).units
            }
            return try string(try joined(pieces, by: text.units), isMarkup: text.isMarkup)
        case "center", "ljust", "rjust", "zfill", "expandtabs": return try pad(name, text, arguments)
        case "format", "format_map": return try string(try StringFormat(self).format(text, name, arguments))
        default: break
        }
        _ = try arguments.bind(name, [])
        return .bool(has(name, text.units))
    }

    func recased(_ name: String, _ units: [UInt32]) throws(TemplateError) -> [UInt32] {
        try spend(units.count / 8)
        switch name {
        case "upper": return CaseMapping.upper(units)
        case "lower": return CaseMapping.lower(units)
        case "capitalize": return CaseMapping.capitalized(units)
        case "title": return CaseMapping.titled(units)
        case "swapcase": return CaseMapping.swapped(units)
        default:
            guard units.allSatisfy({ $0 & Text.scalarMask < 128 }) else {
                throw TemplateError(.unsupported, "'casefold' of characters beyond ASCII")
            }
            return CaseMapping.lower(units)
        }
    }

    private func has(_ name: String, _ units: [UInt32]) -> Bool {
        func all(_ test: (Unicode.Scalar) -> Bool) -> Bool { !units.isEmpty && units.allSatisfy { test($0.scalar) } }
        switch name {
        case "isalnum": return all(\.isPythonAlphanumeric)
        case "isalpha": return all(\.isPythonAlpha)
        case "isascii": return units.allSatisfy { $0 & Text.scalarMask < 128 }
        case "isdecimal": return all(\.isPythonDecimal)
        case "isdigit": return all(\.isPythonDigit)
        case "isnumeric": return all(\.isPythonNumeric)
        case "isspace": return all(\.isPythonSpace)
        case "isprintable": return units.allSatisfy { $0.scalar.isPythonPrintable }
        case "isidentifier":
            guard let first = units.first?.scalar else { return false }
            return (first == "_" || first.properties.isXIDStart) && all(\.properties.isXIDContinue)
        case "isupper": return CaseMapping.isUpper(units)
        case "islower": return CaseMapping.isLower(units)
        default: return CaseMapping.isTitled(units)
        }
    }

    private func hasAffix(_ name: String, _ text: Text, _ arguments: Arguments) throws(TemplateError) -> Value {
        let values = try arguments.bind(name, ["affix", "start", "end"], required: 1, positionalOnly: true)
        var affixes: [Text] = []
        if case .tuple(let items)? = values[0] {
            for value in items.values { affixes.append(try needText(value, name)) }
        } else {
            affixes = [try needText(values[0], name)]
        }
        let range = try span(values[1], values[2], count: text.units.count)
        let isBeyond = (values[1]?.index ?? 0) > text.units.count
        return .bool(
            affixes.contains { affix in
                let count = affix.units.count
                guard count <= range.count, !isBeyond else { return false }
                return matches(
                    affix.units, text.units, at: name == "startswith" ? range.lowerBound : range.upperBound - count)
            })
    }

    private func locate(_ name: String, _ text: Text, _ arguments: Arguments) throws(TemplateError) -> Value {
        let values = try arguments.bind(name, ["sub", "start", "end"], required: 1, positionalOnly: true)
        let part = try needText(values[0], name).units
        let range = try span(values[1], values[2], count: text.units.count)
        // An empty part is nowhere beyond the end.
        let isBeyond = part.isEmpty && range.isEmpty && (values[1]?.index ?? 0) > range.lowerBound
        if name == "count" {
            guard !isBeyond else { return .int(0) }
            if part.isEmpty { return .int(range.count + 1) }
            var (count, start) = (0, range.lowerBound)
            while let found = try find(part, in: text.units[start..<range.upperBound]) {
                (count, start) = (count + 1, found + part.count)
            }
            return .int(count)
        }
        let found = isBeyond ? nil : try find(part, in: text.units[range], fromEnd: name.hasPrefix("r"))
        guard found != nil || name.hasSuffix("find") else {
            throw TemplateError(.runtime, "the part that '\(name)' looks for is not there")
        }
        return .int(found ?? -1)
    }

    private func pad(_ name: String, _ text: Text, _ arguments: Arguments) throws(TemplateError) -> Value {
        if name == "expandtabs" {
            let size = try needIndex(try arguments.bind(name, ["tabsize"])[0], 8, name)
            return try string(try expandTabs(text.units, size), isMarkup: text.isMarkup)
        }
        let names = name == "zfill" ? ["width"] : ["width", "fill"]
        let values = try arguments.bind(name, names, required: 1, positionalOnly: true)
        let width = try needIndex(values[0], 0, name)
        var fill: UInt32 = name == "zfill" ? 48 : 32
        if names.count > 1, let value = values[1] {
            let given = try needText(value, name)
            let units = text.isMarkup ? escaped(given) : given.units
            guard units.count == 1 else { throw TemplateError(.runtime, "'\(name)' fills with one character") }
            fill = units[0]
        }
        return try string(try padded(text.units, width, fill, name), isMarkup: text.isMarkup)
    }
}
