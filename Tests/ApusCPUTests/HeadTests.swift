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

    /// What a rule does to the heads of one token, written to be read.
    private struct Model {
        var clip: Double?
        var clipsNormed = false
        var normsComeLast = false
        var pairs = false
        var turned: Int
        var spansHeads = false
        var sets = 1

        func apply(_ x: [Double], heads: Int, headDim: Int, weight: [Double], angles: [Double]) -> [Double] {
            var x = x
            func clipAll() {
                if let clip { x = x.map { min(max($0, -clip), clip) } }
            }
            func normalize() {
                let width = spansHeads ? x.count : headDim
                for row in 0..<x.count / width {
                    let part = x[row * width..<(row + 1) * width]
                    let scale = 1 / sqrt(part.reduce(0) { $0 + $1 * $1 } / Double(width) + 1e-5)
                    for index in 0..<width {
                        x[row * width + index] *= scale * weight[(spansHeads ? 0 : row % sets * width) + index]
                    }
                }
            }
            if !clipsNormed { clipAll() }
            if !normsComeLast { normalize() }
            if clipsNormed { clipAll() }
            for head in 0..<heads {
                for pair in 0..<turned / 2 {
                    let a = head * headDim + (pairs ? 2 * pair : pair)
                    let b = head * headDim + (pairs ? 2 * pair + 1 : pair + turned / 2)
                    let (cosine, sine) = (angles[pair], angles[turned / 2 + pair])
                    (x[a], x[b]) = (x[a] * cosine - x[b] * sine, x[b] * cosine + x[a] * sine)
                }
            }
            if normsComeLast { normalize() }
            return x
        }
    }

    /// Every part of a rule, on queries and keys, with values of their own.
    @Test(arguments: InstructionSet.available)
    func followsItsRule(_ set: InstructionSet) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set)
        let models = [
            Model(turned: 16), Model(pairs: true, turned: 16), Model(turned: 6), Model(pairs: true, turned: 10),
            Model(clip: 0.7, turned: 16), Model(clip: 0.7, clipsNormed: true, turned: 16),
            Model(normsComeLast: true, turned: 8), Model(turned: 16, spansHeads: true), Model(turned: 16, sets: 4),
        ]
        let (tokens, heads, headDim) = (5, 4, 16)
        for model in models {
            func random(_ dimensions: [Int], _ seed: UInt64) throws -> [Float] {
                try HostTensor.random(dimensions, seed: seed).elements()
            }
            let width = heads * headDim
            let values = try (0..<3).map { try random([tokens, width], UInt64($0)) }
            let count = model.spansHeads ? width : model.sets * headDim
            let weight = try random([count], 5)
            let angles = try random([tokens, 2, model.turned / 2], 6)
            let scales: [Float] = (0..<tokens).map { 1 + Float($0) / 4 }
            var rule = HeadRule()
            rule.clip = model.clip.map { Float($0) }
            rule.clipsNormed = model.clipsNormed
            rule.normsComeLast = model.normsComeLast
            rule.turnsNeighbours = model.pairs
            rule.queryScales = try device.makeTensor(scales)
            let norm = HeadNorm(
                Norm(weight: try device.makeTensor(weight), epsilon: 1e-5), spansHeads: model.spansHeads)
            (rule.query, rule.key) = (norm, norm)
            let layout = KVCacheLayout(blocks: 1, kvHeads: heads, headDim: headDim, dtype: .float32)
            let tensors = try values.map { try device.makeTensor($0, [tokens, width]) }
            let places = try device.makeTensor((0..<tokens).map(Int32.init))
            try device.prepareHeads(
                query: tensors[0], key: tensors[1], value: tensors[2], rule: rule,
                angles: device.makeTensor(angles, [tokens, 2, model.turned / 2]), in: device.makeKVCache(layout),
                layout: layout,
                batch: AttentionBatch(
                    positions: places, sequences: device.makeTensor([Int32](repeating: 0, count: tokens)),
                    slots: places, blockTables: device.makeTensor([Int32(0)], [1, 1])))
            for tensor in 0..<2 {
                let got: [Float] = try device.download(tensors[tensor]).elements()
                for token in 0..<tokens {
                    let expected = model.apply(
                        values[tensor][token * width..<(token + 1) * width].map(Double.init), heads: heads,
                        headDim: headDim, weight: weight.map(Double.init),
                        angles: angles[token * model.turned..<(token + 1) * model.turned].map(Double.init))
                    let factor = tensor == 0 ? Double(scales[token]) : 1
                    #expect(
                        zip(expected, got[token * width..<(token + 1) * width]).allSatisfy {
                            abs($0 * factor - Double($1)) < 2e-5
                        })
                }
            }
        }
    }
}
