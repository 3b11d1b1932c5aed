package import ApusCompute
import CApusKernels
import Synchronization

extension CPUDevice {
    package func prepareHeads(
        query: Tensor, key: Tensor, value: Tensor, norms: HeadNorms, angles: Tensor?, in cache: KVCacheLayer,
        layout: KVCacheLayout, batch: AttentionBatch
    ) throws(ComputeError) {
        let tokens = batch.slots.shape.count
        let headDim = layout.headDim
        let keyWidth = layout.kvHeads * headDim
        guard headDim > 0, headDim % 2 == 0 || angles == nil, query.shape.rank == 2, query.shape[0] == tokens,
            query.shape[1] % headDim == 0
        else { throw .mismatch("heads of \(headDim) in queries of shape \(query.shape) for \(tokens) tokens") }
        try check(key, is: [tokens, keyWidth], "keys")
        try check(value, is: [tokens, keyWidth], "values")
        if let angles { try check(angles, is: [tokens, 2, headDim / 2], "rotary angles") }
        let queryWidth = query.shape[1]
        nonisolated(unsafe) let (q, k, v) = (try floats(query), try floats(key), try floats(value))
        nonisolated(unsafe) let table = try angles.map { angles throws(ComputeError) in try floats(angles) }
        nonisolated(unsafe) let queryNorm = try kernelNorm(norms.query, headDim)
        nonisolated(unsafe) let keyNorm = try kernelNorm(norms.key, headDim)
        nonisolated(unsafe) let slots = try integers(batch.slots)
        nonisolated(unsafe) let cacheKeys = try pointer(cache.keys)
        nonisolated(unsafe) let cacheValues = try pointer(cache.values)
        if checksIndices { try checkSlots(UnsafeBufferPointer(start: slots, count: tokens), layout) }
        let type = try cacheType(layout)
        forEachRange(of: tokens, costPerItem: queryWidth + keyWidth * 5) { range in
            let (first, count) = (range.lowerBound, range.count)
            if let norm = queryNorm {
                kernels.norm_heads(
                    q + first * queryWidth, norm.weight, norm.epsilon, count, queryWidth / headDim, headDim)
            }
            if let norm = keyNorm {
                kernels.norm_heads(k + first * keyWidth, norm.weight, norm.epsilon, count, layout.kvHeads, headDim)
            }
            if let table {
                let angles = table + first * headDim
                kernels.rotary(q + first * queryWidth, angles, count, queryWidth / headDim, headDim)
                kernels.rotary(k + first * keyWidth, angles, count, layout.kvHeads, headDim)
            }
            kernels.store_kv(
                k + first * keyWidth, v + first * keyWidth, cacheKeys, cacheValues, type, layout.blocks, slots + first,
                count, layout.kvHeads, headDim)
        }
    }

    private func kernelNorm(
        _ norm: Norm?, _ width: Int
    ) throws(ComputeError) -> (weight: UnsafePointer<Float>, epsilon: Float)? {
        guard let norm else { return nil }
        try check(norm.weight, is: [width], "the norm of heads")
        return (UnsafePointer(try floats(norm.weight)), norm.epsilon)
    }

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
        task.window = rule.window ?? 0
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
