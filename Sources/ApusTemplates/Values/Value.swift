/// A value of a template, with Python's meaning.
enum Value {
    /// With what is said when it is used.
    case undefined(String)
    case none
    case bool(Bool)
    case int(Int)
    /// The digits of one beyond 64 bits: it can be shown, and nothing else.
    case largeInt(String)
    case float(Double)
    case string(Text)
    case list(Items)
    case tuple(Items)
    case dict(Mapping)
    case view(Mapping, MappingView)
    case range(PythonRange)
    case iterator(Iteration)
    case namespace(Namespace)
    case macro(Macro)
    case loop(LoopState)
    case method(Method)
    case function(Function)
    case cycler(Cycler)
    case joiner(Joiner)
}

/// The values of a list or a tuple; neither ever changes.
final class Items {
    let values: [Value]
    let depth: Int
    /// Whether it is a pair of `groupby`, whose parts have names.
    let isGroup: Bool
    private let charge: Charge?

    init(_ values: [Value], depth: Int, isGroup: Bool = false, charge: Charge?) {
        self.values = values
        self.depth = depth
        self.isGroup = isGroup
        self.charge = charge
    }
}

enum MappingView: String {
    case keys, values, items
}

/// Python's `range`.
struct PythonRange: Hashable {
    let start: Int
    let stop: Int
    let step: Int
    let count: Int

    subscript(index: Int) -> Int { start &+ index &* step }
}

/// A method of a value, not yet called.
final class Method {
    let receiver: Value
    let name: String

    init(_ receiver: Value, _ name: String) {
        self.receiver = receiver
        self.name = name
    }
}

/// Functions that every template has.
enum Function: String, CaseIterable {
    case range, dict, cycler, joiner, namespace, lipsum
    case raiseException = "raise_exception"
    case strftimeNow = "strftime_now"
}

/// What `namespace()` makes: the one value that changes.
final class Namespace {
    var attributes: [(name: String, value: Value)]

    init(_ attributes: [(name: String, value: Value)]) { self.attributes = attributes }

    subscript(name: String) -> Value? { attributes.first { $0.name == name }?.value }

    func set(_ name: String, _ value: Value) {
        if let position = attributes.firstIndex(where: { $0.name == name }) {
            attributes[position].value = value
        } else {
            attributes.append((name, value))
        }
    }
}

final class Macro {
    let name: String
    let definition: Statement.Macro
    let scope: Scope

    init(_ name: String, _ definition: Statement.Macro, _ scope: Scope) {
        self.name = name
        self.definition = definition
        self.scope = scope
    }
}

final class Cycler {
    let items: Items
    var position = 0

    init(_ items: Items) { self.items = items }
}

final class Joiner {
    let separator: Value
    var isUsed = false

    init(_ separator: Value) { self.separator = separator }
}

extension Value {
    /// How deep it nests, itself included.
    var depth: Int {
        switch self {
        case .undefined, .none, .bool, .int, .largeInt, .float, .string, .range, .function, .namespace, .macro: 1
        case .list(let items), .tuple(let items): items.depth
        case .dict(let mapping), .view(let mapping, _): mapping.depth
        case .iterator(let iteration): iteration.depth
        case .loop(let loop): loop.depth
        case .method(let method): method.receiver.depth + 1
        case .cycler(let cycler): cycler.items.depth + 1
        case .joiner(let joiner): joiner.separator.depth + 1
        }
    }

    /// Python's name of its type.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .int, .largeInt: "int"
        case .float: "float"
        case .string(let text): text.isMarkup ? "Markup" : "str"
        case .list: "list"
        case .tuple: "tuple"
        case .dict: "dict"
        case .view(_, let view): "dict_\(view.rawValue)"
        case .range: "range"
        case .iterator: "generator"
        case .namespace: "Namespace"
        case .macro: "Macro"
        case .loop: "LoopContext"
        case .method: "builtin_function_or_method"
        case .function: "function"
        case .cycler: "Cycler"
        case .joiner: "Joiner"
        }
    }

    static func text(_ string: String) -> Value { .string(Text(string)) }

    var isUndefined: Bool { if case .undefined = self { true } else { false } }
    var isLarge: Bool { if case .largeInt = self { true } else { false } }
    var isNone: Bool { if case .none = self { true } else { false } }

    /// The value where Python takes an index: booleans count as integers.
    var index: Int? {
        switch self {
        case .bool(let value): value ? 1 : 0
        case .int(let value): value
        default: nil
        }
    }
}
