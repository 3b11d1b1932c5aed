/// The merges of a BPE model by the pair of ids that they join.
struct MergeTable: Sendable {
    private struct Entry {
        var pair: UInt64
        /// Rank in the upper half, the joined token's id in the lower; `none` marks a free place.
        var merge: UInt64
    }

    static let none = UInt64.max

    private var entries: [Entry]
    private let mask: Int
    private(set) var count = 0

    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        entries = [Entry](repeating: Entry(pair: 0, merge: Self.none), count: size)
        mask = size - 1
    }

    @inline(__always)
    static func pair(_ left: UInt32, _ right: UInt32) -> UInt64 { UInt64(left) << 32 | UInt64(right) }

    @inline(__always)
    private func place(of pair: UInt64, in entries: UnsafeBufferPointer<Entry>) -> Int {
        var place = Int(truncatingIfNeeded: ByteHash.hash(pair)) & mask
        while entries[place].merge != Self.none, entries[place].pair != pair { place = (place + 1) & mask }
        return place
    }

    /// Of merges of one pair, the last counts. Never more than the capacity.
    mutating func insert(_ left: UInt32, _ right: UInt32, rank: UInt32, id: UInt32) {
        let pair = Self.pair(left, right)
        let place = entries.withUnsafeBufferPointer { self.place(of: pair, in: $0) }
        if entries[place].merge == Self.none { count += 1 }
        entries[place] = Entry(pair: pair, merge: UInt64(rank) << 32 | UInt64(id))
    }

    /// Rank and id of the token that two make, or `none`. Lower values come first.
    @inline(__always)
    func merge(_ left: UInt32, _ right: UInt32) -> UInt64 {
        let pair = Self.pair(left, right)
        return entries.withUnsafeBufferPointer { $0[place(of: pair, in: $0)].merge }
    }
}
