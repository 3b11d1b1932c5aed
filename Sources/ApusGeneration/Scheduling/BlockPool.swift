/// The free blocks of a KV cache. Blocks given back are handed out first, so memory that was never needed is never
/// touched.
package struct BlockPool: Sendable {
    package let count: Int
    private var free: [Int32]

    package init(count: Int) {
        self.count = count
        free = (0..<Int32(clamping: count)).reversed()
    }

    package var freeCount: Int { free.count }

    /// `count` blocks, or `nil` (and nothing taken) if there are not so many.
    package mutating func take(_ count: Int) -> [Int32]? {
        guard count >= 0, count <= free.count else { return nil }
        let taken = Array(free.suffix(count).reversed())
        free.removeLast(count)
        return taken
    }

    package mutating func giveBack(_ blocks: [Int32]) { free.append(contentsOf: blocks.reversed()) }
}
