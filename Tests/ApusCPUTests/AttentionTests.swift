import ApusCPU
import ApusCompute
import ApusTestSupport
import Testing

@Suite struct AttentionTests {
    struct Case: Sendable {
        var heads: Int, kvHeads: Int, headDim: Int, lengths: [Int]
    }

    static let cases = [
        Case(heads: 1, kvHeads: 1, headDim: 2, lengths: [1]),
        Case(heads: 4, kvHeads: 2, headDim: 16, lengths: [5, 16, 17]),
        Case(heads: 7, kvHeads: 1, headDim: 40, lengths: [33, 2]),
        Case(heads: 6, kvHeads: 6, headDim: 64, lengths: [50]),
        Case(heads: 10, kvHeads: 2, headDim: 22, lengths: [70, 3, 16]),
    ]

    /// Attention of all tokens of all sequences at once, blocks handed out in a shuffled order.
    private func run(_ device: CPUDevice, _ test: Case, _ dtype: DType, only sequence: Int? = nil) throws -> [[Float]] {
        var generator = SplitMix64(seed: 11)
        let blockSize = KVCacheLayout.blockSize
        let needed = test.lengths.map { ($0 + blockSize - 1) / blockSize }
        let layout = KVCacheLayout(
            blocks: needed.reduce(0, +) + 3, kvHeads: test.kvHeads, headDim: test.headDim, dtype: dtype)
        var free = Array(0..<Int32(layout.blocks)).shuffled(using: &generator)
        let cache = try device.makeKVCache(layout)
        // Whatever is left in unused slots must not matter.
        for tensor in [cache.keys, cache.values] {
            let garbage = [UInt8](repeating: 0xFF, count: tensor.byteCount)
            try garbage.withUnsafeBytes { try device.upload($0, to: tensor) }
        }
        let stride = needed.max() ?? 1
        var tables: [Int32] = []
        var positions: [Int32] = []
        var rows: [Int32] = []
        var slots: [Int32] = []
        var q: [Float] = []
        var k: [Float] = []
        var v: [Float] = []
        for (index, length) in test.lengths.enumerated() {
            let table = (0..<needed[index]).map { _ in free.removeLast() }
            tables += table + [Int32](repeating: 0, count: stride - table.count)
            for position in 0..<length {
                let tokenQ = (0..<test.heads * test.headDim).map { _ in Float.random(in: -2...2, using: &generator) }
                let tokenK = (0..<test.kvHeads * test.headDim).map { _ in Float.random(in: -2...2, using: &generator) }
                let tokenV = (0..<test.kvHeads * test.headDim).map { _ in Float.random(in: -2...2, using: &generator) }
                guard sequence == nil || sequence == index else { continue }
                q += tokenQ
                k += tokenK
                v += tokenV
                positions.append(Int32(position))
                rows.append(Int32(index))
                slots.append(table[position / blockSize] * Int32(blockSize) + Int32(position % blockSize))
            }
        }
        let batch = AttentionBatch(
            positions: try device.makeTensor(positions), sequences: try device.makeTensor(rows),
            slots: try device.makeTensor(slots),
            blockTables: try device.makeTensor(tables, [test.lengths.count, stride]))
        let tokens = positions.count
        let y = try device.makeTensor([tokens, test.heads * test.headDim])
        try device.storeKV(
            keys: device.makeTensor(k, [tokens, test.kvHeads * test.headDim]),
            values: device.makeTensor(v, [tokens, test.kvHeads * test.headDim]), in: cache, layout: layout, batch: batch
        )
        try device.attention(
            query: device.makeTensor(q, [tokens, test.heads * test.headDim]), cache: cache, layout: layout,
            batch: batch, scale: 0.3, into: y)
        let result: [Float] = try device.download(y).elements()
        let width = test.heads * test.headDim
        return (0..<tokens).map { Array(result[$0 * width..<($0 + 1) * width]) }
    }

    @Test(arguments: KernelTests.vectorSets, cases)
    func matchesReference(_ set: InstructionSet, _ test: Case) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set)
        let reference = try CPUDevice(threads: 1, instructionSet: .scalar)
        for dtype in [DType.float32, .bfloat16] {
            for (expected, got) in zip(try run(reference, test, dtype), try run(device, test, dtype)) {
                for (a, b) in zip(expected, got) { #expect(abs(a - b) < 1e-5) }
            }
        }
    }

    @Test(arguments: InstructionSet.available)
    func doesNotSeeTheRestOfTheBatch(_ set: InstructionSet) throws {
        let test = Self.cases[4]
        let all = try run(CPUDevice(threads: 3, instructionSet: set), test, .float32)
        let alone = try run(CPUDevice(threads: 1, instructionSet: set), test, .float32, only: 1)
        #expect(alone == Array(all[70..<73]))
    }
}
