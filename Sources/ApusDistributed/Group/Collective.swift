/// A call that every rank of a group must make, in the same order.
package struct Collective: Sendable, Hashable {
    package enum Pattern: UInt8, Sendable {
        /// Nobody gets anything.
        case barrier
        /// Everyone gets the root's message.
        case broadcast
        /// Everyone gets everyone's message.
        case allGather
        /// The root gets everyone's message.
        case gather
    }

    package let pattern: Pattern
    /// 0 where the pattern has no root.
    package let root: Int
    /// What the caller knows it by, for messages; calls of different names never meet.
    package let name: String

    package init(_ pattern: Pattern, root: Int = 0, name: String) {
        self.pattern = pattern
        self.root = root
        self.name = name
    }
}

extension Collective: CustomStringConvertible {
    package var description: String {
        switch pattern {
        case .barrier, .allGather: name
        case .broadcast: "\(name) from rank \(root)"
        case .gather: "\(name) to rank \(root)"
        }
    }
}
