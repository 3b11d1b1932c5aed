/// Names of jinja2's tests.
enum Tests {
    private static let names: Set<String> = [
        "odd", "even", "divisibleby", "defined", "undefined", "filter", "test", "none", "boolean", "false", "true",
        "integer", "float", "lower", "upper", "string", "mapping", "number", "sequence", "iterable", "callable",
        "sameas", "escaped", "in", "==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", "ge", ">=", "<", "lt",
        "lessthan", "<=", "le",
    ]

    static func isKnown(_ name: String) -> Bool { names.contains(name) }
}

extension Renderer {
    func test(_ name: String, _ value: Value, _ arguments: Arguments) throws(TemplateError) -> Bool {
        guard Tests.isKnown(name) else { throw TemplateError(.runtime, "there is no test named '\(name)'") }
        switch name {
        case "divisibleby":
            let divisor = try other(name, arguments, "num")
            return try isEqual(try remainder(value, divisor), .int(0))
        case "sameas": return try isSame(value, try other(name, arguments, "other"))
        case "in": return try contains(try other(name, arguments, "seq"), value)
        case "==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", "ge", ">=", "<", "lt", "lessthan", "<=", "le":
            let right = try arguments.bind(name, ["other"], required: 1, positionalOnly: true)[0] ?? .none
            return try holds(comparison(name), value, right)
        default:
            _ = try arguments.bind(name, [])
            return try test(name, value)
        }
    }

    private func other(_ name: String, _ arguments: Arguments, _ parameter: String) throws(TemplateError) -> Value {
        try arguments.bind(name, [parameter], required: 1)[0] ?? .none
    }

    private func comparison(_ name: String) -> Expression.Comparison {
        switch name {
        case "!=", "ne": .notEqual
        case ">", "gt", "greaterthan": .greater
        case ">=", "ge": .greaterOrEqual
        case "<", "lt", "lessthan": .less
        case "<=", "le": .lessOrEqual
        default: .equal
        }
    }

    private func remainder(_ value: Value, _ divisor: Value) throws(TemplateError) -> Value {
        try arithmetic(.remainder, value, divisor)
    }

    private func test(_ name: String, _ value: Value) throws(TemplateError) -> Bool {
        switch name {
        case "odd": return try isEqual(try remainder(value, .int(2)), .int(1))
        case "even": return try isEqual(try remainder(value, .int(2)), .int(0))
        case "defined": return !value.isUndefined
        case "undefined": return value.isUndefined
        case "filter", "test":
            guard try keyIfHashable(value) != nil else {
                throw TemplateError(.runtime, "a \(value.typeName) is no name")
            }
            guard case .string(let text) = value else { return false }
            return name == "filter" ? Filters.isKnown(text.string) : Tests.isKnown(text.string)
        case "none": return value.isNone
        case "boolean": if case .bool = value { return true }
        case "false": if case .bool(false) = value { return true }
        case "true": if case .bool(true) = value { return true }
        case "integer": if value.typeName == "int" { return true }
        case "float": if case .float = value { return true }
        case "lower": return CaseMapping.isLower(try printed(value))
        case "upper": return CaseMapping.isUpper(try printed(value))
        case "string": if case .string = value { return true }
        case "mapping": if case .dict = value { return true }
        case "number": return value.typeName == "int" || double(value) != nil
        case "sequence":
            switch value {
            case .string, .list, .tuple, .dict, .range, .undefined: return true
            default: return false
            }
        case "iterable":
            switch value {
            case .string, .list, .tuple, .dict, .range, .undefined, .view, .iterator, .loop: return true
            default: return false
            }
        case "callable":
            switch value {
            case .macro, .loop, .method, .function, .joiner, .undefined: return true
            default: return false
            }
        case "escaped": if case .string(let text) = value { return text.isMarkup }
        default: break
        }
        return false
    }
}
