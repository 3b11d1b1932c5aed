import ApusCPU
import ApusCompute
import Synchronization

/// A device that answers as late as it may, hands out poisoned memory, and counts what is asked of it.
final class LateDevice: Device {
    struct Counts: Equatable {
        var copiesIn = 0
        var copiesOut = 0
        var allocations = 0
        var steps = 0
    }

    private let base: CPUDevice
    private let queued: QueuedDevice
    private let tally = Mutex(Counts())

    init(_ id: DeviceID, in world: LateWorld, threads: Int = 1, budget: Int? = nil) throws {
        base = try CPUDevice(id: id, threads: threads, budget: budget, checksIndices: true)
        queued = QueuedDevice(base, queue: world.makeQueue())
    }

    var counts: Counts { tally.withLock { $0 } }
    private func count(_ what: WritableKeyPath<Counts, Int>) { tally.withLock { $0[keyPath: what] += 1 } }

    var id: DeviceID { queued.id }
    var answersLater: Bool { true }
    var memory: AllocationCounter { queued.memory }
    var unpreparedByteCount: Int { queued.unpreparedByteCount }

    /// Not a number, and no token, position or block.
    private static let poison: UInt8 = 0xFF

    private func poison(_ tensor: Tensor) throws(ComputeError) {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: tensor.byteCount, alignment: 64)
        defer { bytes.deallocate() }
        for index in bytes.indices { bytes[index] = Self.poison }
        try base.upload(UnsafeRawBufferPointer(bytes), to: tensor)
    }

    func allocate(byteCount: Int, isSparse: Bool) throws(ComputeError) -> any DeviceMemory {
        count(\.allocations)
        let memory = try queued.allocate(byteCount: byteCount, isSparse: isSparse)
        try poison(Tensor(memory: memory, shape: Shape([byteCount]), dtype: .uint8))
        return memory
    }

    func makeKVCache(_ layout: KVCacheLayout) throws(ComputeError) -> KVCacheLayer {
        count(\.allocations)
        let cache = try queued.makeKVCache(layout)
        try poison(cache.keys)
        try poison(cache.values)
        return cache
    }

    func makeHostBlock(_ label: String, byteCount: Int) throws(ComputeError) -> HostBlock {
        try queued.makeHostBlock(label, byteCount: byteCount)
    }

    func upload(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) throws(ComputeError) {
        try queued.upload(bytes, to: tensor)
    }

    func download(_ tensor: Tensor, to bytes: UnsafeMutableRawBufferPointer) throws(ComputeError) {
        try queued.download(tensor, to: bytes)
    }

    func synchronize() throws(ComputeError) { try queued.synchronize() }

    func copyIn(_ block: HostBlock, byteCount: Int, to tensor: Tensor) {
        count(\.copiesIn)
        queued.copyIn(block, byteCount: byteCount, to: tensor)
    }

    func copyOut(_ tensor: Tensor, to block: HostBlock, at offset: Int) {
        count(\.copiesOut)
        queued.copyOut(tensor, to: block, at: offset)
    }

    func record() -> any DeviceEvent { queued.record() }

    func wait(for event: any DeviceEvent) { queued.wait(for: event) }

    func prepare(
        _ weight: WeightSource, as format: WeightFormat, isStreamed: Bool
    ) throws(ComputeError) -> any PreparedWeight {
        try queued.prepare(weight, as: format, isStreamed: isStreamed)
    }

    func expect(_ weights: [any PreparedWeight]) { queued.expect(weights) }

    func prepareTable(
        _ weight: WeightSource, as dtype: DType, tiedTo head: (any PreparedWeight)?, isStreamed: Bool
    ) throws(ComputeError) -> any PreparedWeight {
        try queued.prepareTable(weight, as: dtype, tiedTo: head, isStreamed: isStreamed)
    }

    func reserveWorkspace(_ demand: WorkspaceDemand) throws(ComputeError) { try queued.reserveWorkspace(demand) }

    func workspaceByteCount(_ demand: WorkspaceDemand) -> Int { queued.workspaceByteCount(demand) }

    func scatter(_ updates: Tensor, into table: Tensor) { queued.scatter(updates, into: table) }
    func copyRows(_ pairs: Tensor, in x: Tensor) { queued.copyRows(pairs, in: x) }

    func copyBlocks(_ pairs: Tensor, in cache: KVCacheLayer, layout: KVCacheLayout) {
        queued.copyBlocks(pairs, in: cache, layout: layout)
    }

    func embedding(
        _ tokens: Tensor, choices: Tensor?, _ weight: any PreparedWeight, scale: Float, into y: Tensor,
        accumulates: Bool
    ) {
        if !accumulates { count(\.steps) }
        queued.embedding(tokens, choices: choices, weight, scale: scale, into: y, accumulates: accumulates)
    }

    func linear(_ x: Tensor, norm: Norm?, _ products: [Product]) { queued.linear(x, norm: norm, products) }

    func gatedLinear(
        _ x: Tensor, norm: Norm?, gate: Projection, up: Projection, _ activation: Activation, into result: Tensor
    ) { queued.gatedLinear(x, norm: norm, gate: gate, up: up, activation, into: result) }

    func experts(
        _ x: Tensor, norm: Norm?, scores: Tensor, sharedScores: Tensor?, _ block: ExpertBlock, scale: Float,
        into y: Tensor, accumulates: Bool
    ) {
        queued.experts(
            x, norm: norm, scores: scores, sharedScores: sharedScores, block, scale: scale, into: y,
            accumulates: accumulates)
    }

    func normalize(_ x: Tensor, _ norm: Norm, scale: Float, into y: Tensor, accumulates: Bool) {
        queued.normalize(x, norm, scale: scale, into: y, accumulates: accumulates)
    }

    func multiply(_ x: Tensor, by factors: Tensor?, from column: Int, scale: Float) {
        queued.multiply(x, by: factors, from: column, scale: scale)
    }

    func prepareHeads(
        query: Tensor, key: Tensor?, value: Tensor?, rule: HeadRule, angles: Tensor?, in cache: KVCacheLayer,
        layout: KVCacheLayout, batch: AttentionBatch
    ) {
        queued.prepareHeads(
            query: query, key: key, value: value, rule: rule, angles: angles, in: cache, layout: layout, batch: batch)
    }

    func attention(
        query: Tensor, cache: KVCacheLayer, layout: KVCacheLayout, batch: AttentionBatch, rule: AttentionRule,
        into y: Tensor
    ) { queued.attention(query: query, cache: cache, layout: layout, batch: batch, rule: rule, into: y) }

    func convolve(
        _ x: Tensor, _ weight: Tensor, bias: Tensor?, hasSiLU: Bool, state: Tensor, batch: AttentionBatch,
        into y: Tensor
    ) { queued.convolve(x, weight, bias: bias, hasSiLU: hasSiLU, state: state, batch: batch, into: y) }

    func advance(
        _ mixed: Tensor, a: Tensor, b: Tensor, z: Tensor, rule: DeltaRule, state: Tensor, batch: AttentionBatch,
        into y: Tensor
    ) { queued.advance(mixed, a: a, b: b, z: z, rule: rule, state: state, batch: batch, into: y) }

    func gather(_ x: Tensor, rows: Tensor, into y: Tensor) { queued.gather(x, rows: rows, into: y) }

    func argmax(_ x: Tensor, into y: Tensor) { queued.argmax(x, into: y) }
}
