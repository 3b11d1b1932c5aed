/// What one process got of what was split.
///
/// Where `items` is an array, so is the share: `for prompt in share`, `share.count`, `share[0]`.
public struct Share<Items> {
    /// The process's items, then the fillers.
    public let items: Items

    /// Which of all items these are. Fillers don't count.
    public let range: Range<Int>

    /// How many times the last of all items was added at the end to make all shares equally long.
    public let padding: Int

    /// How many items there are, fillers included.
    public var itemCount: Int { range.count + padding }

    /// Of one result for each item, those that no filler caused.
    /// Throws `DistributedError` (`.mismatch`) if there are not as many results as items.
    public func withoutPadding<Result>(_ results: [Result]) throws(DistributedError) -> [Result] {
        guard results.count == itemCount else {
            throw .mismatch("there are \(results.count) results for a share of \(itemCount) items")
        }
        return Array(results.prefix(range.count))
    }
}

extension Share: Sequence where Items: RandomAccessCollection {
    public typealias Element = Items.Element
    public func makeIterator() -> Items.Iterator { items.makeIterator() }
}

extension Share: Collection, BidirectionalCollection, RandomAccessCollection where Items: RandomAccessCollection {
    public var startIndex: Items.Index { items.startIndex }
    public var endIndex: Items.Index { items.endIndex }
    public var indices: Items.Indices { items.indices }
    public func index(after index: Items.Index) -> Items.Index { items.index(after: index) }
    public func index(before index: Items.Index) -> Items.Index { items.index(before: index) }
    public func index(_ index: Items.Index, offsetBy distance: Int) -> Items.Index {
        items.index(index, offsetBy: distance)
    }
    public func distance(from start: Items.Index, to end: Items.Index) -> Int { items.distance(from: start, to: end) }
    public subscript(index: Items.Index) -> Items.Element { items[index] }
}

extension Share: Equatable where Items: Equatable {}
extension Share: Sendable where Items: Sendable {}
