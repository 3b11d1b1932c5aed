import ApusCPU
import ApusCompute
import ApusTestSupport

/// Some sequences with random keys, values and queries at every position.
struct AttentionProblem: Sendable {
    var heads: Int
    var kvHeads: Int
    var headDim: Int
    var lengths: [Int]
    /// A token whose key and value are not numbers.
    var poisoned: (sequence: Int, position: Int)?
    /// Keys that each token sees, its own and those before it; all if `nil`.
    var window: Int?
    /// Whether the window is a rule of the whole call, rather than each token's first key.
    var windowIsRule = false
    /// Whether the first keys are passed where all are seen, rather than left out.
    var passesFirstKeys = false

    private func firstKey(_ position: Int) -> Int { window.map { max(position + 1 - $0, 0) } ?? 0 }

    /// Queries of one sequence.
    struct Piece: Sendable {
        var sequence: Int
        var positions: Range<Int>
    }

    private func random(_ kind: UInt64, _ sequence: Int, _ position: Int, count: Int) -> [Float] {
        var generator = SplitMix64(seed: kind << 48 | UInt64(sequence) << 32 | UInt64(position))
        let isPoisoned = kind > 0 && poisoned.map { $0 == (sequence, position) } ?? false
        return (0..<count).map { _ in isPoisoned ? .nan : Float.random(in: -2...2, using: &generator) }
    }

    /// Stores all keys and values, blocks handed out in a shuffled order, then runs one operation for each of `calls`.
    /// Results are by sequence and position; those of positions that no call asked for are empty.
    func run(
        _ device: CPUDevice, _ dtype: DType, _ calls: [[Piece]], layoutSeed: UInt64 = 1
    ) throws -> [[[Float]]] {
        let blockSize = KVCacheLayout.blockSize
        let needed = lengths.map { ($0 + blockSize - 1) / blockSize }
        let layout = KVCacheLayout(blocks: needed.reduce(0, +) + 3, kvHeads: kvHeads, headDim: headDim, dtype: dtype)
        let cache = try device.makeKVCache(layout)
        // Whatever is left in unused slots must not matter.
        for tensor in [cache.keys, cache.values] {
            let garbage = [UInt8](repeating: 0xFF, count: tensor.byteCount)
            try garbage.withUnsafeBytes { try device.upload($0, to: tensor) }
        }
        var generator = SplitMix64(seed: layoutSeed)
        var free = Array(0..<Int32(layout.blocks)).shuffled(using: &generator)
        let tables = needed.map { count in (0..<count).map { _ in free.removeLast() } }

        func batch(_ pieces: [Piece], storing: Bool = false) throws -> AttentionBatch {
            let tokens = pieces.flatMap { piece in piece.positions.map { (piece.sequence, $0) } }
            let stride = needed.max() ?? 1
            // What lies wholly before the first key of any token is gone.
            let gone = lengths.indices.map { sequence in
                (pieces.filter { $0.sequence == sequence }.map { firstKey($0.positions.lowerBound) }.min() ?? 0)
                    / blockSize
            }
            let tables = tables.indices.map { sequence in
                tables[sequence].enumerated().map { $0 < gone[sequence] && !storing ? -1 : $1 }
            }
            return AttentionBatch(
                positions: try device.makeTensor(tokens.map { Int32($0.1) }),
                firstKeys: (window == nil || windowIsRule) && !passesFirstKeys
                    ? nil : try device.makeTensor(tokens.map { Int32(windowIsRule ? 0 : firstKey($0.1)) }),
                sequences: try device.makeTensor(tokens.map { Int32($0.0) }),
                slots: try device.makeTensor(
                    tokens.map { tables[$0.0][$0.1 / blockSize] * Int32(blockSize) + Int32($0.1 % blockSize) }),
                blockTables: try device.makeTensor(
                    tables.flatMap { $0 + [Int32](repeating: 0, count: stride - $0.count) }, [tables.count, stride]))
        }
        func tensor(_ kind: UInt64, _ pieces: [Piece], heads: Int) throws -> Tensor {
            let width = heads * headDim
            let rows = pieces.flatMap { piece in
                piece.positions.flatMap { random(kind, piece.sequence, $0, count: width) }
            }
            return try device.makeTensor(rows, [rows.count / width, width])
        }

        let all = lengths.indices.map { Piece(sequence: $0, positions: 0..<lengths[$0]) }
        try device.store(
            keys: tensor(1, all, heads: kvHeads), values: tensor(2, all, heads: kvHeads), in: cache, layout: layout,
            batch: batch(all, storing: true))
        var results = lengths.map { [[Float]](repeating: [], count: $0) }
        for call in calls {
            let q = try tensor(0, call, heads: heads)
            let y = try device.makeTensor(q.shape.dimensions)
            try device.attention(
                query: q, cache: cache, layout: layout, batch: batch(call),
                rule: AttentionRule(scale: 1 / Float(headDim).squareRoot(), window: windowIsRule ? window : nil),
                into: y)
            var rows: [Float] = try device.download(y).elements()
            for piece in call {
                for position in piece.positions {
                    results[piece.sequence][position] = Array(rows.prefix(heads * headDim))
                    rows.removeFirst(heads * headDim)
                }
            }
        }
        return results
    }

    /// One call for all positions from `first` on.
    func all(from first: Int = 0) -> [[Piece]] {
        [lengths.indices.map { Piece(sequence: $0, positions: min(first, lengths[$0] - 1)..<lengths[$0]) }]
    }
}
