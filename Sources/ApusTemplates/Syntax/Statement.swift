/// A statement, or text between statements.
final class Statement: Sendable {
    enum Kind: Sendable {
        /// Text, by its place among the program's strings.
        case text(Int)
        case output(Expression)
        case condition([Branch], otherwise: [Statement])
        case loop(Loop)
        case set(Target, Expression)
        case setBlock(Target, filter: Expression?, Block)
        case with([(Target, Expression)], Block)
        case filter(Expression, Block)
        case macro(Macro)
        case call(Expression, Macro)
        /// `{% generation %}`: its body, in a scope like a macro's.
        case generation(Macro)
        case leave
        case proceed
    }

    struct Branch: Sendable {
        let test: Expression
        let body: [Statement]
    }

    /// Statements with a scope of their own, by its place among the program's.
    struct Block: Sendable {
        let scope: Int
        let body: [Statement]
    }

    struct Loop: Sendable {
        let target: Target
        let sequence: Expression
        let test: Expression?
        let isRecursive: Bool
        let body: [Statement]
        let otherwise: [Statement]
        let bodyScope: Int
        let testScope: Int
        let otherwiseScope: Int
    }

    struct Macro: Sendable {
        let name: String
        let parameters: [String]
        let defaults: [Expression]
        let body: [Statement]
        let scope: Int
    }

    let kind: Kind
    let line: Int

    init(_ kind: Kind, line: Int) {
        self.kind = kind
        self.line = line
    }
}

/// What is assigned to.
indirect enum Target: Sendable {
    case name(String)
    case attribute(of: String, String)
    case tuple([Target])
}

extension Target {
    var names: [String] {
        switch self {
        case .name(let name): [name]
        case .attribute: []
        case .tuple(let targets): targets.flatMap(\.names)
        }
    }

    /// Namespaces whose attributes are assigned.
    var namespaces: [String] {
        switch self {
        case .name: []
        case .attribute(let namespace, _): [namespace]
        case .tuple(let targets): targets.flatMap(\.namespaces)
        }
    }
}
