import ApusCompute

/// The blocks of a sequence in layers that keep the same of it, by their places: position / block size.
package struct BlockTable: Sendable, Equatable {
    /// The first place that has a block. Those before it are not read any more.
    package var first = 0
    /// Those of the places from there on.
    package var blocks: [Int32] = []
    /// The first place that differs from what devices have.
    package var changed = 0

    package init() {}

    /// The place behind the last.
    package var end: Int { first + blocks.count }

    package subscript(place: Int) -> Int32 { blocks[place - first] }

    mutating func append(_ block: Int32) { blocks.append(block) }

    mutating func replace(_ place: Int, by block: Int32) {
        blocks[place - first] = block
        changed = min(changed, place)
    }

    /// Where a position's key and value go.
    package func slot(of position: Int) -> Int32 {
        let (place, offset) = position.quotientAndRemainder(dividingBy: KVCacheLayout.blockSize)
        return self[place] * Int32(KVCacheLayout.blockSize) + Int32(truncatingIfNeeded: offset)
    }

    /// What devices have to be told, and from which place on.
    package var news: (start: Int, blocks: ArraySlice<Int32>) {
        let start = max(changed, first)
        return (start, blocks[(start - first)...])
    }
}
