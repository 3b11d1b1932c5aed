import CApusKernels

/// What the threads of a team share attention out in. Has no influence on results.
struct AttentionPlan {
    /// Some tokens of one sequence, with each key-value head, over some partitions of their keys.
    struct Piece {
        var tokens: Range<Int>
        var partitions: Range<Int>
        /// Of all keys that the tokens see.
        var partitionCount: Int
        /// Where the tile's states begin, in floats: one for each key-value head and partition. None for a tile that is
        /// one piece.
        var state: Int?
        var cost: Int
    }

    /// In an order that lets the team end together.
    private(set) var pieces: [Piece] = []
    private var sorted: [Piece] = []
    /// Tiles that were cut.
    private(set) var merges: [Piece] = []
    /// Tokens of the longest tile.
    private(set) var longestTile = 1
    /// Floats of all states.
    private(set) var stateCount = 0

    /// Pieces for each thread, if there is so much to do: enough to even out what one of them costs.
    private static let piecesPerThread = 4
    private static let partition = Int(APUS_KV_PARTITION)

    /// Tiles are of tokens that follow each other, also in their sequence. Long ones are cut by their keys.
    mutating func plan(_ task: apus_attention, tokens: Int, tokensPerTile: Int, threads: Int) {
        pieces.removeAll(keepingCapacity: true)
        merges.removeAll(keepingCapacity: true)
        longestTile = 1
        stateCount = 0
        var total = 0
        var first = 0
        while first < tokens {
            var end = first + 1
            while end < tokens, end - first < tokensPerTile, task.sequence[end] == task.sequence[first],
                task.positions[end] == task.positions[end - 1] + 1
            {
                end += 1
            }
            let keys = Int(task.positions[end - 1]) + 1
            let count = (keys + Self.partition - 1) / Self.partition
            let cost = (end - first) * keys
            pieces.append(
                Piece(tokens: first..<end, partitions: 0..<count, partitionCount: count, state: nil, cost: cost))
            longestTile = max(longestTile, end - first)
            total += cost
            first = end
        }
        if threads > 1 {
            let share = total * task.kv_heads / (threads * Self.piecesPerThread)
            for index in pieces.indices where pieces[index].partitionCount > 1 && pieces[index].cost > share {
                cut(index, into: min(pieces[index].cost / max(share, 1) + 1, pieces[index].partitionCount), task)
            }
        }
        pieces.sort { $0.cost > $1.cost }
        deal(to: threads)
    }

    /// Each thread begins with a stretch of the pieces: gives every stretch long and short ones, the long ones first.
    private mutating func deal(to threads: Int) {
        guard threads > 1 else { return }
        sorted.removeAll(keepingCapacity: true)
        swap(&sorted, &pieces)
        for thread in 0..<threads {
            for index in stride(from: thread, to: sorted.count, by: threads) { pieces.append(sorted[index]) }
        }
    }

    private mutating func cut(_ index: Int, into parts: Int, _ task: apus_attention) {
        var tile = pieces[index]
        let count = tile.partitionCount
        tile.state = stateCount
        let rows = tile.tokens.count * (task.heads / task.kv_heads)
        stateCount += task.kv_heads * count * apus_attention_state(rows, task.head_dim)
        merges.append(tile)
        for part in 0..<parts {
            var piece = tile
            piece.partitions = count * part / parts..<count * (part + 1) / parts
            piece.cost = tile.cost * piece.partitions.count / count
            if part == 0 { pieces[index] = piece } else { pieces.append(piece) }
        }
    }
}
