import ApusCPU
import ApusCompute
import Testing

/// Every kind of index that leads nowhere is found before a kernel follows it.
@Suite struct IndexCheckTests {
    private struct Indices {
        var positions: [Int32] = [20, 3]
        var firstKeys: [Int32] = [4, 0]
        var sequences: [Int32] = [0, 1]
        var slots: [Int32] = [20, 35]
        /// Two blocks each. The last is never seen.
        var tables: [Int32] = [0, 1, 2, -1]
    }

    private func run(_ change: (inout Indices) -> Void) throws {
        let device = try CPUDevice(threads: 1, checksIndices: true)
        let layout = KVCacheLayout(blocks: 3, kvHeads: 1, headDim: 16, dtype: .float32)
        let cache = try device.makeKVCache(layout)
        var indices = Indices()
        change(&indices)
        let batch = AttentionBatch(
            positions: try device.makeTensor(indices.positions), firstKeys: try device.makeTensor(indices.firstKeys),
            sequences: try device.makeTensor(indices.sequences), slots: try device.makeTensor(indices.slots),
            blockTables: try device.makeTensor(indices.tables, [2, 2]))
        let rows = try device.makeTensor(.random([2, 16], seed: 1))
        try device.store(keys: rows, values: rows, in: cache, layout: layout, batch: batch)
        try device.attention(
            query: rows, cache: cache, layout: layout, batch: batch, rule: AttentionRule(scale: 1),
            into: device.makeTensor([2, 16]))
    }

    @Test func rightOnesPass() throws {
        try run { _ in }
        // The first block lies wholly before what is seen.
        try run {
            $0.tables[0] = -1
            $0.firstKeys[0] = 16
        }
    }

    @Test(arguments: [-1, 48, .max] as [Int32])
    func slots(_ slot: Int32) { #expect(throws: ComputeError.self) { try run { $0.slots[1] = slot } } }

    @Test(arguments: [-1, 2, .max] as [Int32])
    func sequences(_ sequence: Int32) { #expect(throws: ComputeError.self) { try run { $0.sequences[1] = sequence } } }

    @Test(arguments: [-1, 32, .max] as [Int32])
    func positions(_ position: Int32) { #expect(throws: ComputeError.self) { try run { $0.positions[1] = position } } }

    @Test(arguments: [-1, 21, .max] as [Int32])
    func firstKeys(_ key: Int32) { #expect(throws: ComputeError.self) { try run { $0.firstKeys[0] = key } } }

    @Test(arguments: [-1, 3, .max] as [Int32], [0, 1, 2])
    func blocks(_ block: Int32, _ place: Int) {
        #expect(throws: ComputeError.self) { try run { $0.tables[place] = block } }
    }

    @Test(arguments: [-1, 2] as [Int32])
    func rowsOfATable(_ row: Int32) throws {
        let device = try CPUDevice(threads: 1)
        #expect(throws: ComputeError.self) {
            try device.gather(
                device.makeTensor([2, 4]), rows: device.makeTensor([row]), into: device.makeTensor([1, 4]))
        }
    }

    @Test func firstKeysAreAsManyAsTokens() {
        #expect(throws: ComputeError.self) { try run { $0.firstKeys = [0] } }
    }
}
