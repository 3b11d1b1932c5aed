/// Python's `text.format(...)`.
struct StringFormat {
    private let renderer: Renderer

    init(_ renderer: Renderer) { self.renderer = renderer }

    /// The values of a format, and how its fields without a name are counted.
    private struct Source {
        var arguments: Arguments
        var mapping: Mapping?
        var counter = 0
        var isCounted: Bool?
    }

    func format(_ text: Text, _ method: String, _ arguments: Arguments) throws(TemplateError) -> [UInt32] {
        var source = Source(arguments: arguments)
        if method == "format_map" {
            guard case .dict(let mapping)? = try arguments.bind(method, ["mapping"], required: 1)[0] else {
                throw TemplateError(.unsupported, "'format_map' of something other than a dictionary")
            }
            source = Source(arguments: Arguments(), mapping: mapping)
        }
        return try format(text.units[...], &source, depth: 2)
    }

    private func format(
        _ units: ArraySlice<UInt32>, _ source: inout Source, depth: Int
    ) throws(TemplateError) -> [UInt32] {
        guard depth > 0 else { throw TemplateError(.runtime, "a format nests too deep") }
        var (result, position) = ([] as [UInt32], units.startIndex)
        while position < units.endIndex {
            let scalar = units[position].scalar
            let isDouble = position + 1 < units.endIndex && units[position + 1].scalar == scalar
            if scalar != "{", scalar != "}" {
                result.append(units[position])
                position += 1
            } else if isDouble {
                result.append(units[position])
                position += 2
            } else {
                guard scalar == "{", let end = fieldEnd(units, from: position + 1) else {
                    throw TemplateError(.runtime, "a format has a lone brace")
                }
                try renderer.spend()
                try renderer.reserve(result.count)
                result += try field(units[position + 1..<end], &source, depth: depth)
                position = end + 1
            }
        }
        return result
    }

    private func fieldEnd(_ units: ArraySlice<UInt32>, from start: Int) -> Int? {
        var (depth, isIndex) = (1, false)
        for position in start..<units.endIndex {
            switch units[position].scalar {
            case "[": isIndex = true
            case "]": isIndex = false
            case "{" where !isIndex: depth += 1
            case "}" where !isIndex:
                depth -= 1
                if depth == 0 { return position }
            default: break
            }
        }
        return nil
    }

    private func field(
        _ units: ArraySlice<UInt32>, _ source: inout Source, depth: Int
    ) throws(TemplateError) -> [UInt32] {
        var nameEnd = units.startIndex
        var isIndex = false
        while nameEnd < units.endIndex {
            let scalar = units[nameEnd].scalar
            if scalar == "[" { isIndex = true }
            if scalar == "]" { isIndex = false }
            if !isIndex, scalar == ":" || scalar == "!" { break }
            nameEnd += 1
        }
        let name = String(units: units[..<nameEnd])
        guard !name.contains("{") else { throw TemplateError(.runtime, "a format has a brace in a name") }
        var value = try self.value(of: name, &source)
        var rest = units[nameEnd...]
        if rest.first?.scalar == "!" {
            rest = rest.dropFirst()
            guard let letter = rest.popFirst()?.scalar, rest.isEmpty || rest.first?.scalar == ":" else {
                throw TemplateError(.runtime, "a format has a malformed conversion")
            }
            switch letter {
            case "s": value = try renderer.string(try renderer.printed(value))
            case "r": value = try renderer.string(try renderer.represented(value))
            case "a": throw TemplateError(.unsupported, "the conversion '!a'")
            default: throw TemplateError(.runtime, "a format has an unknown conversion")
            }
        }
        let spec = try format(rest.dropFirst(), &source, depth: depth - 1)
        return try FormatSpec.apply(spec, to: value, renderer)
    }

    private func value(of name: String, _ source: inout Source) throws(TemplateError) -> Value {
        let end = name.firstIndex { $0 == "." || $0 == "[" } ?? name.endIndex
        let first = String(name[..<end])
        var value: Value
        if first.isEmpty || first.allSatisfy(\.isNumber) {
            guard source.isCounted != !first.isEmpty || source.isCounted == nil else {
                throw TemplateError(.runtime, "a format counts some fields and numbers others")
            }
            source.isCounted = first.isEmpty
            let position = first.isEmpty ? source.counter : Int(first) ?? .max
            if first.isEmpty { source.counter += 1 }
            guard position < source.arguments.positional.count else {
                throw TemplateError(.runtime, "a format has too few values")
            }
            value = source.arguments.positional[position]
        } else {
            guard let named = source.arguments.keyword(first) ?? source.mapping?[first] else {
                throw TemplateError(.runtime, "a format asks for '\(first)', which is not there")
            }
            value = named
        }
        var rest = name[end...]
        while let sign = rest.popFirst() {
            if sign == "." {
                let end = rest.firstIndex { $0 == "." || $0 == "[" } ?? rest.endIndex
                guard end > rest.startIndex else { throw TemplateError(.runtime, "a format has an empty attribute") }
                value = try renderer.attribute(String(rest[..<end]), of: value)
                rest = rest[end...]
            } else {
                guard sign == "[", let end = rest.firstIndex(of: "]"), end > rest.startIndex else {
                    throw TemplateError(.runtime, "a format has a malformed index")
                }
                let index = String(rest[..<end])
                value = try renderer.item(Int(index).map { .int($0) } ?? .text(index), of: value)
                rest = rest[rest.index(after: end)...]
            }
        }
        return value
    }
}
