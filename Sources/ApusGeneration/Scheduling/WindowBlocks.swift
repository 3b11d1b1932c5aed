import ApusCompute

/// The blocks of layers with a window: sequences give back those that no token will see again.
///
/// A block holds what the block of the whole sequence at its place stands for, so it is known by that one's number, until
/// that one is handed out again. There are as many blocks as sequences can need at a time, so taking one never fails.
struct WindowBlocks: Sendable {
    private let width: Int
    private var pool: BlockPool<Int32>
    /// By the seats of sequences.
    private(set) var tables: [BlockTable]

    init(_ window: Scheduler.Limits.Window, sequences: Int) {
        width = window.width
        pool = BlockPool(count: window.blocks)
        tables = Array(repeating: BlockTable(), count: sequences)
    }

    var freeCount: Int { pool.freeCount }

    /// The first place that a token at a position, or one behind it, sees.
    func firstPlace(for position: Int) -> Int { max(position + 1 - width, 0) / KVCacheLayout.blockSize }

    /// Whether some block holds what a block of the whole sequence stands for.
    func holds(_ whole: Int32) -> Bool { pool.block(holding: whole) != nil }

    /// Takes blocks for all tokens of a sequence up to a position.
    mutating func extend(_ seat: Int, upTo position: Int) {
        while tables[seat].end * KVCacheLayout.blockSize < position, let block = pool.take() {
            tables[seat].append(block)
        }
    }

    /// Goes on behind places whose blocks are held already, those that a token there sees.
    mutating func attach(_ seat: Int, _ whole: some Collection<Int32>, upTo end: Int) {
        let position = end * KVCacheLayout.blockSize
        let first = firstPlace(for: position)
        trim(seat, before: position)
        if first > tables[seat].end { tables[seat].first = first }
        for block in whole.suffix(end - tables[seat].end) {
            guard let held = pool.block(holding: block) else { return }
            pool.share(held)
            tables[seat].append(held)
        }
    }

    /// Notes what the newly full blocks of a sequence hold.
    mutating func settle(_ seat: Int, _ places: Range<Int>, of whole: BlockTable) {
        for place in max(places.lowerBound, tables[seat].first)..<max(places.upperBound, tables[seat].first) {
            let own = tables[seat][place]
            let block = pool.settle(own, holding: whole[place])
            if block != own { tables[seat].replace(place, by: block) }
        }
    }

    /// Gives back what no token from a position on sees.
    mutating func trim(_ seat: Int, before position: Int) {
        let count = min(firstPlace(for: position) - tables[seat].first, tables[seat].blocks.count)
        guard count > 0 else { return }
        pool.giveBack(tables[seat].blocks.prefix(count))
        tables[seat].blocks.removeFirst(count)
        tables[seat].first += count
    }

    /// The table as the next step has it, which devices know from there on.
    mutating func plan(_ seat: Int, upTo position: Int) -> BlockTable {
        extend(seat, upTo: position)
        defer { tables[seat].changed = tables[seat].end }
        return tables[seat]
    }

    /// Gives what a sequence has to another seat too. Returns what is to be copied of it.
    mutating func fork(_ seat: Int, to other: Int, isBegun: Bool) -> ScheduledStep.BlockCopy? {
        let begun = isBegun ? tables[seat].blocks.last : nil
        let block = begun.flatMap { _ in pool.take() }
        tables[other] = pool.fork(tables[seat], begun: block)
        guard let begun, let block else { return nil }
        return ScheduledStep.BlockCopy(source: begun, target: block)
    }

    mutating func leave(_ seat: Int) {
        pool.giveBack(tables[seat].blocks)
        tables[seat] = BlockTable()
    }

    /// A block of whole sequences is handed out, and will stand for something else.
    mutating func forget(_ whole: Int32) { pool.forget(whole) }
}
