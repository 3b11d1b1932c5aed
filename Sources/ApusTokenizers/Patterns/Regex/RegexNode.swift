/// The syntax tree of a regular expression.
indirect enum RegexNode: Sendable {
    case set(ScalarSet)
    case sequence([RegexNode])
    case alternation([RegexNode])
    case repetition(RegexNode, RegexRepetition)
    case look(RegexNode, isBehind: Bool, isNegative: Bool)
    case atomic(RegexNode)
    case assertion(RegexAssertion)

    static let empty = RegexNode.sequence([])
}

struct RegexRepetition: Sendable {
    enum Kind: Sendable { case greedy, lazy, possessive }

    var minimum: Int
    /// `nil` for no limit.
    var maximum: Int?
    var kind: Kind
}

enum RegexAssertion: Sendable {
    case lineStart, lineEnd, textStart, textEnd, textEndOrFinalNewline, wordBoundary, notWordBoundary
}

extension RegexNode {
    /// The lengths in scalars that a match can have, if they are few; look-behind tries each.
    var lengths: Set<Int>? {
        switch self {
        case .set: return [1]
        case .look, .assertion: return [0]
        case .atomic(let node): return node.lengths
        case .alternation(let nodes):
            return nodes.reduce(Set<Int>()) { total, node in
                guard let total, let lengths = node.lengths else { return nil }
                return total.union(lengths)
            }
        case .sequence(let nodes):
            return nodes.reduce([0]) { total, node in Self.sums(total, node.lengths) }
        case .repetition(let node, let repetition):
            guard let maximum = repetition.maximum, maximum <= 64, let lengths = node.lengths else { return nil }
            var total: Set<Int>? = [0]
            var all: Set<Int> = []
            for count in 0...maximum {
                guard let current = total else { return nil }
                if count >= repetition.minimum { all.formUnion(current) }
                total = Self.sums(current, lengths)
            }
            return all
        }
    }

    private static func sums(_ left: Set<Int>?, _ right: Set<Int>?) -> Set<Int>? {
        guard let left, let right, left.count * right.count <= 4096 else { return nil }
        let sums = Set(left.flatMap { first in right.map { first + $0 } })
        return sums.count <= 64 ? sums : nil
    }
}
