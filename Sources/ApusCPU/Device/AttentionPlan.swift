package import CApusKernels

/// What the threads of a team share attention out in. Has no influence on results.
///
/// A tile that a thread would take too long over is cut by its keys. Each partition of a cut tile leaves its sums in a
/// state until they are merged; where those of all tiles would take more memory than there is for them, the tiles take
/// turns, in waves, and what is cut is cut finely enough to keep the team busy in each.
package struct AttentionPlan {
    /// Some tokens of one sequence, with the key-value heads of a wave, over some partitions of their keys.
    package struct Piece {
        package var tokens: Range<Int>
        package var partitions: Range<Int>
        /// All of which the tokens see keys.
        package var allPartitions: Range<Int>
        /// Where the tile's states begin, in floats: one for each key-value head and partition. None for a tile that is
        /// one piece.
        package var state: Int?
        /// Products of a token's key with a query, for each head.
        package var cost: Int
    }

    /// Pieces that run together, then merges.
    package struct Wave {
        package var pieces: Range<Int>
        package var merges: Range<Int>
        package var kvHeads: Range<Int>
    }

    package private(set) var waves: [Wave] = []
    /// Those of a wave are in an order that lets the team end together.
    package private(set) var pieces: [Piece] = []
    /// Tiles that were cut.
    package private(set) var merges: [Piece] = []
    /// Tokens of the longest tile.
    package private(set) var longestTile = 1
    /// Floats of all states of a wave, at most.
    package private(set) var stateCount = 0

    private var tiles: [Piece] = []
    private var sorted: [Piece] = []

    /// Pieces for each thread, if there is so much to do: enough to even out what one of them costs.
    private static let piecesPerThread = 4
    private static let partition = Int(APUS_KV_PARTITION)

    package init() {}

    /// A tile is cut only if it takes more than a share of what there is to do.
    static func mostCutTiles(threads: Int, kvHeads: Int) -> Int {
        max(threads * piecesPerThread / max(kvHeads, 1), 1)
    }

    /// - Parameter stateLimit: most floats of states at a time. A tile that alone needs more for one key-value head is not
    ///   cut.
    package mutating func plan(
        _ task: apus_attention, tokens: Int, tokensPerTile: Int, threads: Int, stateLimit: Int = .max
    ) {
        waves.removeAll(keepingCapacity: true)
        pieces.removeAll(keepingCapacity: true)
        merges.removeAll(keepingCapacity: true)
        stateCount = 0
        // Not a copy of the task for each token.
        let total = withUnsafePointer(to: task) { findTiles($0, tokens: tokens, tokensPerTile: tokensPerTile) }
        let share = total * task.kv_heads / (max(threads, 1) * Self.piecesPerThread)
        func isCut(_ tile: Piece) -> Bool {
            threads > 1 && tile.partitions.count > 1 && tile.cost > share && Self.states(tile, task) <= stateLimit
        }
        // All that is whole goes first, together with what is cut as long as there is room.
        var wave = tiles.filter { !isCut($0) }
        var used = 0
        for tile in tiles where isCut(tile) {
            let size = Self.states(tile, task) * task.kv_heads
            if size > stateLimit - used {
                addWave(wave, kvHeads: 0..<task.kv_heads, task, threads, isCut)
                wave.removeAll(keepingCapacity: true)
                used = 0
            }
            guard size <= stateLimit else {
                addWaves(tile, task, threads, heads: stateLimit / Self.states(tile, task))
                continue
            }
            used += size
            wave.append(tile)
        }
        addWave(wave, kvHeads: 0..<task.kv_heads, task, threads, isCut)
    }

    /// Tiles are of tokens that follow each other, also in their sequence. Returns what they cost.
    private mutating func findTiles(
        _ pointer: UnsafePointer<apus_attention>, tokens: Int, tokensPerTile: Int
    ) -> Int {
        let task = pointer.pointee
        tiles.removeAll(keepingCapacity: true)
        longestTile = 1
        var total = 0
        var first = 0
        while first < tokens {
            var end = first + 1
            var firstKey = apus_first_key(pointer, first)
            while end < tokens, end - first < tokensPerTile, task.sequence[end] == task.sequence[first],
                task.positions[end] == task.positions[end - 1] + 1
            {
                firstKey = min(firstKey, apus_first_key(pointer, end))
                end += 1
            }
            let keys = Int(task.positions[end - 1]) + 1
            firstKey = max(min(firstKey, keys - 1), 0)
            let partitions = firstKey / Self.partition..<(max(keys, 1) + Self.partition - 1) / Self.partition
            let cost = (end - first) * (keys - firstKey)
            tiles.append(
                Piece(tokens: first..<end, partitions: partitions, allPartitions: partitions, state: nil, cost: cost))
            longestTile = max(longestTile, end - first)
            total += cost
            first = end
        }
        return total
    }

    /// Floats of the states of a tile for one key-value head.
    private static func states(_ tile: Piece, _ task: apus_attention) -> Int {
        tile.partitions.count * apus_attention_state(tile.tokens.count * (task.heads / task.kv_heads), task.head_dim)
    }

    /// One tile that has too many states for all key-value heads at once, `heads` of them at a time.
    private mutating func addWaves(_ tile: Piece, _ task: apus_attention, _ threads: Int, heads: Int) {
        let count = (task.kv_heads + heads - 1) / heads
        for wave in 0..<count {
            addWave(
                [tile], kvHeads: task.kv_heads * wave / count..<task.kv_heads * (wave + 1) / count, task, threads
            ) { _ in true }
        }
    }

    private mutating func addWave(
        _ tiles: [Piece], kvHeads: Range<Int>, _ task: apus_attention, _ threads: Int, _ isCut: (Piece) -> Bool
    ) {
        guard !tiles.isEmpty else { return }
        let firstMerge = merges.count
        let share = tiles.reduce(0) { $0 + $1.cost } * kvHeads.count / (max(threads, 1) * Self.piecesPerThread)
        var floats = 0
        sorted.removeAll(keepingCapacity: true)
        for var tile in tiles {
            guard isCut(tile) else {
                sorted.append(tile)
                continue
            }
            tile.state = floats
            floats += Self.states(tile, task) * kvHeads.count
            merges.append(tile)
            cut(tile, into: min(tile.cost / max(share, 1) + 1, tile.partitions.count))
        }
        stateCount = max(stateCount, floats)
        sorted.sort { $0.cost > $1.cost }
        let firstPiece = pieces.count
        deal(to: threads)
        waves.append(
            Wave(pieces: firstPiece..<pieces.count, merges: firstMerge..<merges.count, kvHeads: kvHeads))
    }

    private mutating func cut(_ tile: Piece, into parts: Int) {
        let count = tile.partitions.count
        let first = tile.partitions.lowerBound
        for part in 0..<parts {
            var piece = tile
            piece.partitions = first + count * part / parts..<first + count * (part + 1) / parts
            piece.cost = tile.cost * piece.partitions.count / count
            sorted.append(piece)
        }
    }

    /// Each thread begins with a stretch of the pieces: gives every stretch long and short ones, the long ones first.
    private mutating func deal(to threads: Int) {
        for thread in 0..<max(threads, 1) {
            for index in stride(from: thread, to: sorted.count, by: max(threads, 1)) { pieces.append(sorted[index]) }
        }
    }
}
