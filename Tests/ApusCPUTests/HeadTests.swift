import ApusCPU
import ApusCompute
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What comes between the projections and attention.
@Suite struct HeadTests {
    private struct Result {
        var query: [Float]
        var key: [Float]
    }

    private static func run(
        _ device: CPUDevice, tokens: Int, heads: Int, kvHeads: Int, headDim: Int, isNormed: Bool, isTurned: Bool
    ) throws -> Result {
        func tensor(_ dimensions: [Int], _ seed: UInt64) throws -> Tensor {
            let values: [Float] = try HostTensor.random(dimensions, seed: seed).elements()
            return try device.makeTensor(values, dimensions)
        }
        let query = try tensor([tokens, heads * headDim], 1)
        let key = try tensor([tokens, kvHeads * headDim], 2)
        let value = try tensor([tokens, kvHeads * headDim], 3)
        var rule = HeadRule()
        if isNormed {
            rule.query = HeadNorm(Norm(weight: try tensor([headDim], 4), epsilon: 1e-5))
            rule.key = HeadNorm(Norm(weight: try tensor([headDim], 5), epsilon: 1e-2))
        }
        let layout = KVCacheLayout(blocks: tokens, kvHeads: kvHeads, headDim: headDim, dtype: .float32)
        try device.prepareHeads(
            query: query, key: key, value: value, rule: rule,
            angles: isTurned ? tensor([tokens, 2, headDim / 2], 6) : nil, in: device.makeKVCache(layout),
            layout: layout,
            batch: AttentionBatch(
                positions: device.makeTensor((0..<tokens).map(Int32.init)),
                sequences: device.makeTensor([Int32](repeating: 0, count: tokens)),
                slots: device.makeTensor((0..<tokens).map(Int32.init)),
                blockTables: device.makeTensor([Int32](repeating: 0, count: tokens), [1, tokens])))
        return Result(query: try device.download(query).elements(), key: try device.download(key).elements())
    }

    @Test(arguments: InstructionSet.available)
    func eachHeadHasItsNorm(_ set: InstructionSet) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set)
        for (tokens, heads, headDim) in [(1, 1, 2), (3, 4, 8), (5, 6, 24), (40, 3, 64), (2, 2, 130)] {
            let plain: [Float] = try HostTensor.random([tokens, heads * headDim], seed: 1).elements()
            let weight: [Float] = try HostTensor.random([headDim], seed: 4).elements()
            let got = try Self.run(
                device, tokens: tokens, heads: heads, kvHeads: heads, headDim: headDim, isNormed: true, isTurned: false)
            for head in 0..<tokens * heads {
                let x = plain[head * headDim..<(head + 1) * headDim].map(Double.init)
                let scale = 1 / sqrt(x.reduce(0) { $0 + $1 * $1 } / Double(headDim) + 1e-5)
                for index in 0..<headDim {
                    let expected = x[index] * scale * Double(weight[index])
                    #expect(abs(Double(got.query[head * headDim + index]) - expected) < 1e-5)
                }
            }
        }
    }

    /// Norms come before the rotation, whose rows do not depend on others.
    @Test(arguments: InstructionSet.available.filter { $0 != .scalar })
    func matchesReference(_ set: InstructionSet) throws {
        let reference = try CPUDevice(threads: 1, instructionSet: .scalar)
        for (tokens, heads, kvHeads, headDim) in [(1, 2, 1, 4), (7, 6, 2, 24), (33, 4, 4, 128), (300, 8, 2, 66)] {
            for threads in [1, 3] {
                let device = try CPUDevice(threads: threads, instructionSet: set)
                func run(_ device: CPUDevice) throws -> Result {
                    try Self.run(
                        device, tokens: tokens, heads: heads, kvHeads: kvHeads, headDim: headDim, isNormed: true,
                        isTurned: true)
                }
                let (expected, got) = (try run(reference), try run(device))
                for (a, b) in [(expected.query, got.query), (expected.key, got.key)] {
                    #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-5 * max(abs($0), 1) })
                }
            }
        }
    }

    @Test func refusesNormsOfAnotherWidth() throws {
        let device = try CPUDevice(threads: 1)
        let weight = try device.makeTensor([Float](repeating: 1, count: 7))
        let rows = try device.makeTensor([Float](repeating: 1, count: 8), [1, 8])
        let layout = KVCacheLayout(blocks: 1, kvHeads: 1, headDim: 8, dtype: .float32)
        let zero = try device.makeTensor([Int32(0)])
        var rule = HeadRule()
        rule.key = HeadNorm(Norm(weight: weight, epsilon: 1e-6))
        #expect(throws: ComputeError.self) {
            try device.prepareHeads(
                query: rows, key: rows, value: rows, rule: rule,
                angles: nil, in: device.makeKVCache(layout), layout: layout,
                batch: AttentionBatch(
                    positions: zero, sequences: zero, slots: zero, blockTables: device.makeTensor([Int32(0)], [1, 1])))
        }
    }
}
