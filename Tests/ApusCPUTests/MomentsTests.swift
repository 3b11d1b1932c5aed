import ApusCPU
import ApusCompute
import ApusTestSupport
import Testing

/// Rounding by what a matrix is multiplied with.
@Suite struct MomentsTests {
    private struct Problem {
        let (outputs, inputs, tokens): (Int, Int, Int)
        let weight: HostTensor
        let rows: HostTensor

        /// Inputs that have much in common, as those of models have.
        init(outputs: Int, inputs: Int, tokens: Int, seed: UInt64) throws {
            (self.outputs, self.inputs, self.tokens) = (outputs, inputs, tokens)
            weight = try HostTensor.random([outputs, inputs], seed: seed)
            var values: [Float] = try HostTensor.random([tokens, inputs], seed: seed + 1).elements()
            let few: [Float] = try HostTensor.random([tokens, 5], seed: seed + 2).elements()
            let ways: [Float] = try HostTensor.random([5, inputs], seed: seed + 3).elements()
            for token in 0..<tokens {
                for input in 0..<inputs {
                    values[token * inputs + input] *= 0.2
                    for way in 0..<5 {
                        values[token * inputs + input] += few[token * 5 + way] * ways[way * inputs + input]
                    }
                }
            }
            rows = try HostTensor(values, shape: [tokens, inputs])
        }

        func source() throws -> WeightSource { try .rows(weight, identity: "weight") }

        /// The product's inputs, watched by a device.
        func read(threads: Int = 2) throws -> InputMoments.Sums {
            let moments = InputMoments()
            let device = try CPUDevice(threads: threads, moments: moments)
            let prepared = try device.prepare(source(), as: .float32)
            let x = try device.makeTensor(rows.elements() as [Float], [tokens, inputs])
            let y = try device.makeTensor([tokens, outputs])
            try device.linear(x, norm: nil, [Projection(prepared).into(y)])
            return try #require(moments.sums(ofRow: 0, of: source().origin))
        }

        /// The sum of squares of what rounding changes of the products.
        func loss(_ rounded: QuantizedRows) throws -> Double {
            let weights: [Float] = try weight.elements()
            let x: [Float] = try rows.elements()
            let groups = WeightFormat.groups(inputs: inputs)
            var loss = 0.0
            for output in 0..<outputs {
                var own = Array(weights[output * inputs..<(output + 1) * inputs])
                MomentsTests.rotate(&own)
                let off = (0..<inputs).map { input -> Double in
                    let byte = rounded.values[output * ((inputs + 1) / 2) + input / 2]
                    let grid = rounded.grids[output * groups + input / 32]
                    let code = Int(input % 2 == 0 ? byte & 15 : byte >> 4)
                    return Double(rounded.scales[output]) * Double((code - Int(grid >> 4)) * Int(grid & 15))
                        - Double(own[input])
                }
                for token in 0..<tokens {
                    var row = Array(x[token * inputs..<(token + 1) * inputs])
                    MomentsTests.rotate(&row)
                    let change = zip(row, off).reduce(0.0) { $0 + Double($1.0) * $1.1 }
                    loss += change * change
                }
            }
            return loss
        }
    }

    /// The definition: blocks of 64 times the orthonormal Hadamard matrix.
    private static func rotate(_ values: inout [Float]) {
        for first in stride(from: 0, to: values.count / 64 * 64, by: 64) {
            let block = values[first..<first + 64].map(Double.init)
            for i in 0..<64 {
                let sum = (0..<64).reduce(0.0) { $0 + ((i & $1).nonzeroBitCount % 2 == 0 ? 1 : -1) * block[$1] }
                values[first + i] = Float(sum / 8)
            }
        }
    }

    @Test(arguments: [(24, 256), (17, 600), (5, 100), (3, 40), (16, 513)])
    func losesLessOfTheProducts(_ outputs: Int, _ inputs: Int) throws {
        let problem = try Problem(outputs: outputs, inputs: inputs, tokens: 300, seed: UInt64(inputs))
        let sums = try problem.read()
        let device = try CPUDevice(threads: 2)
        let spread = device.spread(sums)
        let nearest = try device.quantize(problem.source(), rows: 0..<outputs, as: .int4)
        let spreading = try device.quantize(problem.source(), rows: 0..<outputs, as: .int4, spread: spread)
        let (before, after) = (try problem.loss(nearest), try problem.loss(spreading))
        #expect(after < before * 0.7, "\(after) where \(before) was lost")
        // Neither threads nor pieces change a bit.
        let alone = try CPUDevice(threads: 1)
        #expect(try alone.spread(problem.read(threads: 1)).factors == spread.factors)
        let half = outputs / 2
        let first = try alone.quantize(problem.source(), rows: 0..<half, as: .int4, spread: spread)
        let second = try alone.quantize(problem.source(), rows: half..<outputs, as: .int4, spread: spread)
        #expect(first.values + second.values == spreading.values && first.grids + second.grids == spreading.grids)
    }

    /// Where an input is off, the others change so that the damped sum of squares is least: its derivatives are nothing.
    @Test(arguments: [1, 40, 256, 300])
    func spreadsAnErrorBest(_ inputs: Int) throws {
        let problem = try Problem(outputs: 1, inputs: inputs, tokens: 50, seed: 7)
        let sums = try problem.read()
        let factors = try CPUDevice(threads: 1).spread(sums).factors
        var x: [[Float]] = []
        let all: [Float] = try problem.rows.elements()
        for token in 0..<problem.tokens {
            var row = Array(all[token * inputs..<(token + 1) * inputs])
            Self.rotate(&row)
            x.append(row)
        }
        var place = 0
        for block in 0..<InputMoments.Sums.blocks(of: inputs) {
            let range = sums.inputs(ofBlock: block)
            var moments = range.map { i in range.map { j in x.reduce(0.0) { $0 + Double($1[i]) * Double($1[j]) } } }
            let mean =
                range.indices.reduce(0.0) { $0 + moments[$1 - range.lowerBound][$1 - range.lowerBound] }
                / Double(range.count)
            for i in moments.indices { moments[i][i] += 0.2 * mean }
            for i in stride(from: 0, to: range.count, by: 37) {
                for j in i + 1..<max(range.count, i + 1) {
                    let slope = (i + 1..<range.count).reduce(moments[j][i]) {
                        $0 + moments[j][$1] * Double(factors[place + i * range.count + $1])
                    }
                    #expect(abs(slope) < 2e-3 * mean, "\(i), \(j) of block \(block)")
                }
            }
            place += range.count * range.count
        }
        #expect(place == factors.count)
    }

    @Test func nothingReadIsRoundedToTheNearest() throws {
        let problem = try Problem(outputs: 4, inputs: 96, tokens: 1, seed: 3)
        let device = try CPUDevice(threads: 1)
        let empty = device.spread(try #require(InputMoments.Sums(inputs: 96)))
        let nearest = try device.quantize(problem.source(), rows: 0..<4, as: .int4)
        #expect(try device.quantize(problem.source(), rows: 0..<4, as: .int4, spread: empty).values == nearest.values)
        #expect(throws: ComputeError.self) {
            try device.quantize(
                problem.source(), rows: 0..<4, as: .int4,
                spread: device.spread(try #require(InputMoments.Sums(inputs: 64))))
        }
    }
}
