package import ApusCompute
import CApusKernels
import Synchronization

extension CPUDevice {
    package func attention(
        query: Tensor, cache: KVCacheLayer, layout: KVCacheLayout, batch: AttentionBatch, rule: AttentionRule,
        into y: Tensor
    ) throws(ComputeError) {
        let tokens = batch.positions.shape.count
        guard query.shape.rank == 2, query.shape[0] == tokens, query.shape[1] % layout.headDim == 0,
            batch.blockTables.shape.rank == 2, batch.sequences.shape.count == tokens
        else { throw .mismatch("queries of shape \(query.shape) for \(tokens) tokens") }
        try check(y, is: query.shape.dimensions, "the result of attention")
        let heads = query.shape[1] / layout.headDim
        guard heads % layout.kvHeads == 0 else {
            throw .mismatch("\(heads) query heads over \(layout.kvHeads) key-value heads")
        }
        var task = apus_attention()
        task.q = UnsafePointer(try floats(query))
        task.keys = UnsafeRawPointer(try pointer(cache.keys))
        task.values = UnsafeRawPointer(try pointer(cache.values))
        task.blocks = layout.blocks
        task.cache_type = try cacheType(layout)
        task.positions = UnsafePointer(try integers(batch.positions))
        task.sequence = UnsafePointer(try integers(batch.sequences))
        task.block_tables = UnsafePointer(try integers(batch.blockTables))
        task.table_stride = batch.blockTables.shape[1]
        task.heads = heads
        task.kv_heads = layout.kvHeads
        task.head_dim = layout.headDim
        task.scale = rule.scale
        guard rule.window ?? 1 > 0 else { throw .mismatch("a window of \(rule.window ?? 0) keys") }
        guard rule.chunk ?? 1 > 0 else { throw .mismatch("chunks of \(rule.chunk ?? 0) positions") }
        task.window = rule.window ?? 0
        task.chunk = rule.chunk ?? 0
        task.soft_cap = rule.softCap ?? 0
        task.slopes = try ofHeads(rule.slopes, heads, "slopes of heads")
        task.sinks = try ofHeads(rule.sinks, heads, "sinks of heads")
        task.y = try floats(y)

        if let firstKeys = batch.firstKeys {
            guard firstKeys.shape.count == tokens else {
                throw .mismatch("first keys of shape \(firstKeys.shape) for \(tokens) tokens")
            }
            task.first_keys = UnsafePointer(try integers(firstKeys))
        }
        if checksIndices { try check(task, tokens: tokens, sequences: batch.blockTables.shape[0]) }

        try workspace.withLock { workspace throws(ComputeError) in
            workspace.attention.plan(
                task, tokens: tokens, tokensPerTile: sizes.tokensPerTile(heads / layout.kvHeads), threads: team.count,
                stateLimit: attentionStateLimit / MemoryLayout<Float>.stride)
            try attend(task, workspace.attention, &workspace.scratch)
        }
    }

    private func ofHeads(
        _ tensor: Tensor?, _ heads: Int, _ role: StaticString
    ) throws(ComputeError) -> UnsafePointer<Float>? {
        guard let tensor else { return nil }
        try check(tensor, is: [heads], role)
        return UnsafePointer(try floats(tensor))
    }

    private func attend(_ task: apus_attention, _ plan: AttentionPlan, _ memory: inout CPUMemory?) throws(ComputeError)
    {
        let group = task.heads / task.kv_heads
        let scratch = sizes.attentionScratch(rows: plan.longestTile * group, task.head_dim)
        let states = plan.stateCount * MemoryLayout<Float>.stride
        let memory = try grow(&memory, to: states + scratch * team.count)
        nonisolated(unsafe) let base = memory.pointer
        nonisolated(unsafe) let task = task

        func tile(_ piece: AttentionPlan.Piece, _ head: Int, of heads: Range<Int>, _ thread: Int) -> apus_attention_tile
        {
            var tile = apus_attention_tile()
            tile.token = piece.tokens.lowerBound
            tile.tokens = piece.tokens.count
            tile.kv_head = heads.lowerBound + head
            tile.first = piece.partitions.lowerBound
            tile.end = piece.partitions.upperBound
            tile.scratch = base + states + thread * scratch
            if let state = piece.state {
                let count = apus_attention_state(piece.tokens.count * group, task.head_dim)
                let index = head * piece.allPartitions.count + tile.first - piece.allPartitions.lowerBound
                tile.states = base.assumingMemoryBound(to: Float.self) + state + index * count
            }
            return tile
        }
        for wave in plan.waves {
            let heads = wave.kvHeads
            team.run(chunks: wave.pieces.count * heads.count) { chunk, thread in
                let piece = plan.pieces[wave.pieces.lowerBound + chunk / heads.count]
                withUnsafePointer(to: task) { task in
                    withUnsafePointer(to: tile(piece, chunk % heads.count, of: heads, thread)) {
                        kernels.attention(task, $0)
                    }
                }
            }
            team.run(chunks: wave.merges.count * heads.count) { chunk, thread in
                let piece = plan.merges[wave.merges.lowerBound + chunk / heads.count]
                withUnsafePointer(to: task) { task in
                    withUnsafePointer(to: tile(piece, chunk % heads.count, of: heads, thread)) {
                        kernels.merge_attention(task, $0)
                    }
                }
            }
        }
    }

    func cacheType(_ layout: KVCacheLayout) throws(ComputeError) -> apus_dtype {
        switch layout.dtype {
        case .float32: APUS_F32
        case .bfloat16: APUS_BF16
        case .int8: APUS_I8
        default: throw .unsupported("a key-value cache of \(layout.dtype); \(id) has float32, bfloat16 and int8")
        }
    }
}
