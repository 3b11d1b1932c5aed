/// An expression as it is written. Its depth is bounded, so that walking and freeing it is.
final class Expression: Sendable {
    enum Kind: Sendable {
        case none
        case bool(Bool)
        case integer(Int)
        case float(Double)
        /// A string, by its place among the program's.
        case string(Int)
        case name(String)
        case list([Expression])
        case tuple([Expression])
        case dict([(key: Expression, value: Expression)])
        case attribute(Expression, String)
        case item(Expression, Expression)
        case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
        case call(Expression, CallArguments)
        /// Without an operand, the body of the block that the filter ends.
        case filter(Expression?, String, CallArguments)
        case test(Expression, String, CallArguments)
        case not(Expression)
        case negative(Expression)
        case positive(Expression)
        case arithmetic(Arithmetic, Expression, Expression)
        case concatenation([Expression])
        case comparison(Expression, [(Comparison, Expression)])
        case and(Expression, Expression)
        case or(Expression, Expression)
        case conditional(test: Expression, then: Expression, otherwise: Expression?)
    }

    enum Arithmetic: String, Sendable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case floorDivide = "//"
        case remainder = "%"
        case power = "**"
    }

    enum Comparison: String, Sendable {
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case `in` = "in"
        case notIn = "not in"
    }

    let kind: Kind
    let line: Int
    let depth: Int
    /// Whether jinja2 may be able to compute it while it compiles.
    let isConstant: Bool

    init(_ kind: Kind, line: Int) {
        self.kind = kind
        self.line = line
        let children = kind.children
        depth = 1 + (children.map(\.depth).max() ?? 0)
        isConstant = kind.canBeConstant && children.prefix(kind.needed).allSatisfy(\.isConstant)
    }
}

/// What stands between the parentheses of a call.
struct CallArguments: Sendable {
    var positional: [Expression] = []
    var keywords: [(name: String, value: Expression)] = []
    var list: Expression?
    var mapping: Expression?

    var expressions: [Expression] {
        positional + keywords.map(\.value) + [list, mapping].compactMap { $0 }
    }
}

extension Expression {
    /// Whether jinja2 puts the value of a constant in its place wherever it stands.
    var isFolded: Bool {
        guard isConstant else { return false }
        switch kind {
        case .filter, .test, .concatenation, .comparison, .attribute, .item, .slice, .conditional, .not, .negative,
            .positive, .arithmetic, .and, .or:
            return true
        default: return false
        }
    }
}

extension Expression.Kind {
    /// How many of its parts are computed in any case.
    var needed: Int {
        switch self {
        case .and, .or, .conditional: 1
        case .comparison: 2
        default: .max
        }
    }

    /// Filters that look at the variables of the rendering.
    private static let contextual: Set<String> = ["map", "select", "reject", "selectattr", "rejectattr"]

    var canBeConstant: Bool {
        switch self {
        case .name, .call, .filter(nil, _, _): false
        case .filter(_, let name, _): Filters.isKnown(name) && !Self.contextual.contains(name)
        case .test(_, let name, _): Tests.isKnown(name)
        default: true
        }
    }

    /// The parts, in the order in which jinja2 visits them.
    var children: [Expression] {
        switch self {
        case .none, .bool, .integer, .float, .string, .name: []
        case .list(let items), .tuple(let items), .concatenation(let items): items
        case .dict(let pairs): pairs.flatMap { [$0.key, $0.value] }
        case .attribute(let base, _), .not(let base), .negative(let base), .positive(let base): [base]
        case .item(let base, let index): [base, index]
        case .slice(let base, let start, let stop, let step): [base] + [start, stop, step].compactMap { $0 }
        case .call(let base, let arguments), .test(let base, _, let arguments): [base] + arguments.expressions
        case .filter(let base, _, let arguments): (base.map { [$0] } ?? []) + arguments.expressions
        case .arithmetic(_, let left, let right), .and(let left, let right), .or(let left, let right): [left, right]
        case .comparison(let first, let rest): [first] + rest.map { $0.1 }
        case .conditional(let test, let then, let otherwise):
            [test, then] + (otherwise.map { [$0] } ?? [])
        }
    }
}
