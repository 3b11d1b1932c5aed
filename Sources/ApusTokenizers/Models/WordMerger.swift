/// Merges the symbols of one word, the lowest rank first, the leftmost among equals. Keeps its buffers from word to word.
struct WordMerger: Sendable {
    /// The word's symbols: one id each; after `merge`, the tokens.
    var symbols: [UInt32] = []

    private var merges: [UInt64] = []
    private var previous: [Int32] = []
    private var next: [Int32] = []
    private var queue = MergeQueue()

    /// Up to here, looking for the lowest rank by scanning beats a queue.
    private static let scanLimit = 40

    mutating func merge(_ table: MergeTable) {
        guard 2..<Int(Int32.max) ~= symbols.count else { return }
        if symbols.count <= Self.scanLimit { mergeByScanning(table) } else { mergeByQueue(table) }
    }

    private mutating func mergeByScanning(_ table: MergeTable) {
        let count = symbols.count
        while merges.count < count { merges.append(MergeTable.none) }
        let remaining = symbols.withUnsafeMutableBufferPointer { symbols in
            merges.withUnsafeMutableBufferPointer { merges in
                var count = count
                for index in 0..<count - 1 { merges[index] = table.merge(symbols[index], symbols[index + 1]) }
                while count > 1 {
                    var best = MergeTable.none
                    var place = 0
                    for index in 0..<count - 1 where merges[index] < best {
                        best = merges[index]
                        place = index
                    }
                    guard best != MergeTable.none else { break }
                    symbols[place] = UInt32(truncatingIfNeeded: best)
                    count -= 1
                    for index in place + 1..<Swift.max(count, place + 1) {
                        symbols[index] = symbols[index + 1]
                        merges[index - 1] = merges[index]
                    }
                    if place > 0 { merges[place - 1] = table.merge(symbols[place - 1], symbols[place]) }
                    if place < count - 1 { merges[place] = table.merge(symbols[place], symbols[place + 1]) }
                }
                return count
            }
        }
        symbols.removeLast(count - remaining)
    }

    private static let removed: Int32 = -2

    private mutating func mergeByQueue(_ table: MergeTable) {
        let count = symbols.count
        previous.removeAll(keepingCapacity: true)
        next.removeAll(keepingCapacity: true)
        queue.removeAll()
        for index in 0..<count {
            previous.append(Int32(truncatingIfNeeded: index - 1))
            next.append(index + 1 < count ? Int32(truncatingIfNeeded: index + 1) : -1)
            if index + 1 < count { enqueue(index, table, symbols[index + 1]) }
        }
        queue.heapify()
        while let key = queue.pop() {
            let place = Int(UInt32(truncatingIfNeeded: key))
            guard next[place] >= 0 else { continue }
            let right = Int(next[place])
            let merge = table.merge(symbols[place], symbols[right])
            // The pair may have changed since it was queued.
            guard merge != MergeTable.none, merge >> 32 == key >> 32 else { continue }
            symbols[place] = UInt32(truncatingIfNeeded: merge)
            let after = next[right]
            next[place] = after
            next[right] = Self.removed
            if after >= 0 {
                previous[Int(after)] = Int32(truncatingIfNeeded: place)
                push(place, table, symbols[Int(after)])
            }
            let before = previous[place]
            if before >= 0 { push(Int(before), table, symbols[place]) }
        }
        var kept = 0
        for index in 0..<count where next[index] != Self.removed {
            symbols[kept] = symbols[index]
            kept += 1
        }
        symbols.removeLast(count - kept)
    }

    private func key(_ place: Int, _ table: MergeTable, _ right: UInt32) -> UInt64? {
        let merge = table.merge(symbols[place], right)
        return merge == MergeTable.none ? nil : (merge >> 32) << 32 | UInt64(UInt32(truncatingIfNeeded: place))
    }

    private mutating func enqueue(_ place: Int, _ table: MergeTable, _ right: UInt32) {
        if let key = key(place, table, right) { queue.appendUnordered(key) }
    }

    private mutating func push(_ place: Int, _ table: MergeTable, _ right: UInt32) {
        if let key = key(place, table, right) { queue.push(key) }
    }
}
