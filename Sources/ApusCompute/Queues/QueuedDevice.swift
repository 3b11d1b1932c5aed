/// A device whose operations another does, one after the other, while the caller goes on.
package final class QueuedDevice: Device {
    private let base: any Device
    private let queue: any CommandQueue

    package init(_ base: any Device, queue: any CommandQueue) {
        self.base = base
        self.queue = queue
    }

    package var id: DeviceID { base.id }
    package var answersLater: Bool { true }
    package var memory: AllocationCounter { base.memory }
    package var unpreparedByteCount: Int { base.unpreparedByteCount }

    // MARK: Memory

    package func allocate(byteCount: Int, isSparse: Bool) throws(ComputeError) -> any DeviceMemory {
        try base.allocate(byteCount: byteCount, isSparse: isSparse)
    }

    package func makeHostBlock(_ label: String, byteCount: Int) throws(ComputeError) -> HostBlock {
        try base.makeHostBlock(label, byteCount: byteCount)
    }

    package func upload(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) throws(ComputeError) {
        nonisolated(unsafe) let bytes = bytes
        try queue.run { [base] () throws(ComputeError) in try base.upload(bytes, to: tensor) }
    }

    package func download(_ tensor: Tensor, to bytes: UnsafeMutableRawBufferPointer) throws(ComputeError) {
        nonisolated(unsafe) let bytes = bytes
        try queue.run { [base] () throws(ComputeError) in try base.download(tensor, to: bytes) }
    }

    package func synchronize() throws(ComputeError) { try queue.record().wait() }

    // MARK: Copies and moments of a step

    package func copyIn(_ block: HostBlock, byteCount: Int, to tensor: Tensor) {
        block.beginCopy()
        queue.submit { [base] () throws(ComputeError) in
            defer { block.endCopy() }
            try base.copyIn(block, byteCount: byteCount, to: tensor)
        }
    }

    package func copyOut(_ tensor: Tensor, to block: HostBlock, at offset: Int) {
        block.beginCopy()
        queue.submit { [base] () throws(ComputeError) in
            defer { block.endCopy() }
            try base.copyOut(tensor, to: block, at: offset)
        }
    }

    package func record() -> any DeviceEvent { queue.record() }

    package func wait(for event: any DeviceEvent) { queue.wait(for: event) }

    // MARK: Weights and cache

    package func prepare(
        _ weight: WeightSource, as format: WeightFormat, isStreamed: Bool
    ) throws(ComputeError) -> any PreparedWeight {
        try queue.run { [base] () throws(ComputeError) in
            try base.prepare(weight, as: format, isStreamed: isStreamed)
        }
    }

    package func expect(_ weights: [any PreparedWeight]) {
        queue.submit { [base] () throws(ComputeError) in try base.expect(weights) }
    }

    package func prepareTable(
        _ weight: WeightSource, as dtype: DType, tiedTo head: (any PreparedWeight)?, isStreamed: Bool
    ) throws(ComputeError) -> any PreparedWeight {
        try queue.run { [base] () throws(ComputeError) in
            try base.prepareTable(weight, as: dtype, tiedTo: head, isStreamed: isStreamed)
        }
    }

    package func makeKVCache(_ layout: KVCacheLayout) throws(ComputeError) -> KVCacheLayer {
        try base.makeKVCache(layout)
    }

    package func reserveWorkspace(_ demand: WorkspaceDemand) throws(ComputeError) {
        try queue.run { [base] () throws(ComputeError) in try base.reserveWorkspace(demand) }
    }

    package func workspaceByteCount(_ demand: WorkspaceDemand) -> Int { base.workspaceByteCount(demand) }

    // MARK: Operations

    package func scatter(_ updates: Tensor, into table: Tensor) {
        queue.submit { [base] () throws(ComputeError) in try base.scatter(updates, into: table) }
    }

    package func copyRows(_ pairs: Tensor, in x: Tensor) {
        queue.submit { [base] () throws(ComputeError) in try base.copyRows(pairs, in: x) }
    }

    package func copyBlocks(_ pairs: Tensor, in cache: KVCacheLayer, layout: KVCacheLayout) {
        queue.submit { [base] () throws(ComputeError) in try base.copyBlocks(pairs, in: cache, layout: layout) }
    }

    package func embedding(
        _ tokens: Tensor, choices: Tensor?, _ weight: any PreparedWeight, scale: Float, into y: Tensor,
        accumulates: Bool
    ) {
        queue.submit { [base] () throws(ComputeError) in
            try base.embedding(tokens, choices: choices, weight, scale: scale, into: y, accumulates: accumulates)
        }
    }

    package func linear(_ x: Tensor, norm: Norm?, _ products: [Product]) {
        queue.submit { [base] () throws(ComputeError) in try base.linear(x, norm: norm, products) }
    }

    package func gatedLinear(
        _ x: Tensor, norm: Norm?, gate: Projection, up: Projection, _ activation: Activation, into result: Tensor
    ) {
        queue.submit { [base] () throws(ComputeError) in
            try base.gatedLinear(x, norm: norm, gate: gate, up: up, activation, into: result)
        }
    }

    package func experts(
        _ x: Tensor, norm: Norm?, scores: Tensor, sharedScores: Tensor?, _ block: ExpertBlock, scale: Float,
        into y: Tensor, accumulates: Bool
    ) {
        queue.submit { [base] () throws(ComputeError) in
            try base.experts(
                x, norm: norm, scores: scores, sharedScores: sharedScores, block, scale: scale, into: y,
                accumulates: accumulates)
        }
    }

    package func normalize(_ x: Tensor, _ norm: Norm, scale: Float, into y: Tensor, accumulates: Bool) {
        queue.submit { [base] () throws(ComputeError) in
            try base.normalize(x, norm, scale: scale, into: y, accumulates: accumulates)
        }
    }

    package func multiply(_ x: Tensor, by factors: Tensor?, from column: Int, scale: Float) {
        queue.submit { [base] () throws(ComputeError) in
            try base.multiply(x, by: factors, from: column, scale: scale)
        }
    }

    package func prepareHeads(
        query: Tensor, key: Tensor?, value: Tensor?, rule: HeadRule, angles: Tensor?, in cache: KVCacheLayer,
        layout: KVCacheLayout, batch: AttentionBatch
    ) {
        queue.submit { [base] () throws(ComputeError) in
            try base.prepareHeads(
                query: query, key: key, value: value, rule: rule, angles: angles, in: cache, layout: layout,
                batch: batch)
        }
    }

    package func attention(
        query: Tensor, cache: KVCacheLayer, layout: KVCacheLayout, batch: AttentionBatch, rule: AttentionRule,
        into y: Tensor
    ) {
        queue.submit { [base] () throws(ComputeError) in
            try base.attention(query: query, cache: cache, layout: layout, batch: batch, rule: rule, into: y)
        }
    }

    package func convolve(
        _ x: Tensor, _ weight: Tensor, bias: Tensor?, hasSiLU: Bool, state: Tensor, batch: AttentionBatch,
        into y: Tensor
    ) {
        queue.submit { [base] () throws(ComputeError) in
            try base.convolve(x, weight, bias: bias, hasSiLU: hasSiLU, state: state, batch: batch, into: y)
        }
    }

    package func advance(
        _ mixed: Tensor, a: Tensor, b: Tensor, z: Tensor, rule: DeltaRule, state: Tensor, batch: AttentionBatch,
        into y: Tensor
    ) {
        queue.submit { [base] () throws(ComputeError) in
            try base.advance(mixed, a: a, b: b, z: z, rule: rule, state: state, batch: batch, into: y)
        }
    }

    package func gather(_ x: Tensor, rows: Tensor, into y: Tensor) {
        queue.submit { [base] () throws(ComputeError) in try base.gather(x, rows: rows, into: y) }
    }

    package func argmax(_ x: Tensor, into y: Tensor) {
        queue.submit { [base] () throws(ComputeError) in try base.argmax(x, into: y) }
    }
}
