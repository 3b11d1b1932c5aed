/// The blocks of a KV cache: who uses each, and what the full ones hold.
///
/// A block whose content is known stays findable when its last user gives it back, until there is no other block to
/// hand out; the one given back longest ago goes first. Blocks without known content are handed out before blocks that
/// were never used, so memory that was never needed is never touched.
struct BlockPool<Key: Hashable & Sendable>: Sendable {
    private struct Block: Sendable {
        var users = 0
        /// What it holds, once that is full and computed.
        var key: Key?
    }

    let count: Int
    /// The blocks used so far; the rest of `count` has never been touched.
    private var blocks: [Block] = []
    /// Blocks without users and without known content.
    private var empty: [Int32] = []
    /// Blocks without users whose content is known.
    private var kept = RecencyList()
    private var blockOfKey: [Key: Int32] = [:]

    init(count: Int) { self.count = max(count, 0) }

    /// Blocks without users.
    var freeCount: Int { empty.count + kept.count + count - blocks.count }

    func isFree(_ block: Int32) -> Bool { blocks[Int(block)].users == 0 }

    /// A block for one user to write to, or `nil` if all are in use.
    mutating func take() -> Int32? {
        let block: Int32
        if let last = empty.popLast() {
            block = last
        } else if blocks.count < count {
            block = Int32(truncatingIfNeeded: blocks.count)
            blocks.append(Block())
        } else if let oldest = kept.popOldest() {
            block = oldest
            if let key = blocks[Int(oldest)].key { blockOfKey[key] = nil }
            blocks[Int(oldest)].key = nil
        } else {
            return nil
        }
        blocks[Int(block)].users = 1
        return block
    }

    /// The block that holds that content.
    func block(holding key: Key) -> Int32? { blockOfKey[key] }

    /// Adds a user to a block whose content is known.
    mutating func share(_ block: Int32) {
        if isFree(block) { kept.remove(block) }
        blocks[Int(block)].users += 1
    }

    /// The table of a second user of its blocks, but for the last if that is begun: there comes another.
    mutating func fork(_ table: BlockTable, begun: Int32?) -> BlockTable {
        var table = table
        for block in table.blocks.dropLast(begun == nil ? 0 : 1) { share(block) }
        if let begun { table.replace(table.end - 1, by: begun) }
        table.changed = 0
        return table
    }

    /// Notes what a block holds. If another block holds the same, its user gets that one instead and gives back its
    /// own. Returns the block to use from now on.
    mutating func settle(_ block: Int32, holding key: Key) -> Int32 {
        guard let other = blockOfKey[key] else {
            blockOfKey[key] = block
            blocks[Int(block)].key = key
            return block
        }
        share(other)
        giveBack(block)
        return other
    }

    /// Forgets that a block holds something.
    mutating func forget(_ key: Key) {
        guard let block = blockOfKey.removeValue(forKey: key) else { return }
        blocks[Int(block)].key = nil
        guard isFree(block) else { return }
        kept.remove(block)
        empty.append(block)
    }

    /// Takes one user from each block of a sequence, the last first: a block must not be forgotten before those that
    /// follow it.
    mutating func giveBack(_ table: some BidirectionalCollection<Int32>) {
        for block in table.reversed() { giveBack(block) }
    }

    mutating func giveBack(_ block: Int32) {
        blocks[Int(block)].users -= 1
        guard isFree(block) else { return }
        if blocks[Int(block)].key == nil { empty.append(block) } else { kept.append(block) }
    }
}
