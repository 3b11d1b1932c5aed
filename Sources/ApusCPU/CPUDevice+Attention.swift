package import ApusCompute
import CApusKernels
import Synchronization

extension CPUDevice {
    package func rotaryEmbedding(_ x: Tensor, angles: Tensor, headDim: Int) throws(ComputeError) {
        let rows = x.shape.dimensions.first ?? 0
        guard x.shape.rank == 2, headDim > 0, headDim % 2 == 0, x.shape[1] % headDim == 0 else {
            throw .mismatch("heads of \(headDim) in a tensor of shape \(x.shape)")
        }
        try check(angles, is: [rows, 2, headDim / 2], "rotary angles")
        let heads = x.shape[1] / headDim
        nonisolated(unsafe) let values = try floats(x)
        nonisolated(unsafe) let table = try floats(angles)
        forEachRange(of: rows, costPerItem: x.shape[1]) { range in
            kernels.rotary(
                values + range.lowerBound * heads * headDim, table + range.lowerBound * headDim, range.count, heads,
                headDim)
        }
    }

    package func storeKV(
        keys: Tensor, values: Tensor, in cache: KVCacheLayer, layout: KVCacheLayout, batch: AttentionBatch
    ) throws(ComputeError) {
        let tokens = batch.slots.shape.count
        try check(keys, is: [tokens, layout.kvHeads * layout.headDim], "keys")
        try check(values, is: [tokens, layout.kvHeads * layout.headDim], "values")
        nonisolated(unsafe) let k = try floats(keys)
        nonisolated(unsafe) let v = try floats(values)
        nonisolated(unsafe) let slots = try integers(batch.slots)
        nonisolated(unsafe) let cacheKeys = try pointer(cache.keys)
        nonisolated(unsafe) let cacheValues = try pointer(cache.values)
        let width = layout.kvHeads * layout.headDim
        let type = try kernelType(layout.dtype, of: "cache")
        forEachRange(of: tokens, costPerItem: width * 4) { range in
            kernels.store_kv(
                k + range.lowerBound * width, v + range.lowerBound * width, cacheKeys, cacheValues, type,
                slots + range.lowerBound, range.count, layout.kvHeads, layout.headDim)
        }
    }

    package func attention(
        query: Tensor, cache: KVCacheLayer, layout: KVCacheLayout, batch: AttentionBatch, scale: Float, into y: Tensor
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
        task.cache_type = try kernelType(layout.dtype, of: "cache")
        task.positions = UnsafePointer(try integers(batch.positions))
        task.sequence = UnsafePointer(try integers(batch.sequences))
        task.block_tables = UnsafePointer(try integers(batch.blockTables))
        task.table_stride = batch.blockTables.shape[1]
        task.heads = heads
        task.kv_heads = layout.kvHeads
        task.head_dim = layout.headDim
        task.scale = scale
        task.y = try floats(y)

        let scratch = (kernels.attention_scratch(heads / layout.kvHeads, layout.headDim) * 4 + 127) / 64 * 64
        try workspace.withLock { workspace throws(ComputeError) in
            let memory = try Self.grow(&workspace.scratch, to: scratch * team.count)
            nonisolated(unsafe) let shared = task
            team.run(chunks: tokens * layout.kvHeads) { chunk, thread in
                var task = shared
                task.scratch = (memory.pointer + thread * scratch).assumingMemoryBound(to: Float.self)
                kernels.attention(&task, chunk / layout.kvHeads, chunk % layout.kvHeads)
            }
        }
    }
}
