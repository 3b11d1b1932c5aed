import ApusCPU
import ApusCompute
import ApusTestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite struct ExpertTests {
    private static let (count, width, inner) = (8, 40, 24)

    private struct Setting: Sendable {
        var rule: RoutingRule
        var isShared = false
        var isBiased = false
        var isScaled = false
    }

    private static var settings: [Setting] {
        var normalized = RoutingRule(chosen: 3, score: .softmax)
        normalized.normalizes = true
        var grouped = RoutingRule(chosen: 2, score: .sigmoid)
        (grouped.groups, grouped.factor, grouped.normalizes) = (.init(count: 4, kept: 2), 1.5, true)
        return [
            Setting(rule: RoutingRule(chosen: 2, score: .softmax)), Setting(rule: normalized, isShared: true),
            Setting(rule: RoutingRule(chosen: 4, score: .softmaxOfChosen), isScaled: true),
            Setting(rule: grouped, isBiased: true),
            Setting(rule: RoutingRule(chosen: 8, score: .sigmoid), isShared: true),
        ]
    }

    private func random(_ dimensions: [Int], _ seed: UInt64) throws -> HostTensor {
        try HostTensor.random(dimensions, seed: seed)
    }

    private func block(_ setting: Setting, _ device: CPUDevice, _ format: WeightFormat) throws -> ExpertBlock {
        func projection(_ outputs: Int, _ inputs: Int, _ seed: UInt64) throws -> Projection {
            let bias = try device.makeTensor(random([outputs], seed + 1000))
            return Projection(try device.prepare(.rows(random([outputs, inputs], seed)), as: format), bias: bias)
        }
        func expert(_ index: Int, _ inner: Int) throws -> ExpertBlock.Expert {
            let seed = UInt64(index * 3 + 10)
            return ExpertBlock.Expert(
                gate: try projection(inner, Self.width, seed), up: try projection(inner, Self.width, seed + 1),
                down: try projection(Self.width, inner, seed + 2))
        }
        return ExpertBlock(
            rule: setting.rule, activation: .silu, experts: try (0..<Self.count).map { try expert($0, Self.inner) },
            shared: setting.isShared ? try expert(Self.count, 33) : nil,
            choiceBias: setting.isBiased ? try device.makeTensor(random([Self.count], 7)) : nil,
            scales: setting.isScaled ? try device.makeTensor(random([Self.count], 8)) : nil)
    }

    private func run(
        _ setting: Setting, _ device: CPUDevice, _ format: WeightFormat, tokens: Range<Int>, accumulates: Bool = true
    ) throws -> [Float] {
        func rows(_ width: Int, _ seed: UInt64) throws -> Tensor {
            let all: [Float] = try random([40, width], seed).elements()
            return try device.makeTensor(
                Array(all[tokens.lowerBound * width..<tokens.upperBound * width]), [tokens.count, width])
        }
        let x = try rows(Self.width, 1)
        let y = try rows(Self.width, 2)
        try device.experts(
            x, norm: Norm(weight: device.makeTensor(random([Self.width], 3)), epsilon: 1e-5),
            scores: rows(Self.count, 4), sharedScores: setting.isShared ? rows(1, 5) : nil,
            block(setting, device, format), scale: 0.7, into: y, accumulates: accumulates)
        return try device.download(y).elements()
    }

    /// The same by products of one token and one expert at a time.
    private func expected(_ setting: Setting, _ device: CPUDevice, token: Int) throws -> [Float] {
        func row(_ width: Int, _ seed: UInt64) throws -> [Float] {
            let all: [Float] = try random([40, width], seed).elements()
            return Array(all[token * width..<(token + 1) * width])
        }
        let block = try block(setting, device, .float32)
        let scores = try row(Self.count, 4).map(Double.init)
        let bias: [Float] = setting.isBiased ? try random([Self.count], 7).elements() : []
        let scales: [Float] = setting.isScaled ? try random([Self.count], 8).elements() : []
        func softmax(_ x: [Double]) -> [Double] {
            let powers = x.map { exp($0 - (x.max() ?? 0)) }
            return powers.map { $0 / powers.reduce(0, +) }
        }
        var weights = setting.rule.score == .sigmoid ? scores.map { 1 / (1 + exp(-$0)) } : softmax(scores)
        var wishes = setting.rule.score == .softmaxOfChosen ? scores : weights
        for expert in bias.indices { wishes[expert] += Double(bias[expert]) }
        if let groups = setting.rule.groups {
            let size = Self.count / groups.count
            let best = (0..<groups.count).map { group in
                wishes[group * size..<(group + 1) * size].sorted(by: >).prefix(2).reduce(0, +)
            }
            let kept = best.indices.sorted { best[$0] > best[$1] }.prefix(groups.kept)
            for expert in 0..<Self.count where !kept.contains(expert / size) { wishes[expert] = -.infinity }
        }
        let chosen = wishes.indices.sorted { wishes[$0] > wishes[$1] }.prefix(setting.rule.chosen).sorted()
        if setting.rule.score == .softmaxOfChosen {
            for (expert, weight) in zip(chosen, softmax(chosen.map { scores[$0] })) { weights[expert] = weight }
        }
        let sum = setting.rule.normalizes ? chosen.reduce(0) { $0 + weights[$1] } : 1
        var result = try row(Self.width, 2).map(Double.init)
        func add(_ expert: ExpertBlock.Expert, _ weight: Double) throws {
            let x = try device.makeTensor(row(Self.width, 1), [1, Self.width])
            let gated = try device.makeTensor([1, expert.gate.weight.shape[0]])
            let y = try device.makeTensor([1, Self.width])
            try device.gatedLinear(
                x, norm: Norm(weight: device.makeTensor(random([Self.width], 3)), epsilon: 1e-5), gate: expert.gate,
                up: expert.up, .silu, into: gated)
            try device.linear(gated, norm: nil, [expert.down.into(y)])
            let values: [Float] = try device.download(y).elements()
            for (index, value) in values.enumerated() { result[index] += 0.7 * weight * Double(value) }
        }
        for expert in chosen {
            let scale = scales.isEmpty ? 1 : Double(scales[expert])
            try add(block.experts[expert], weights[expert] / sum * Double(setting.rule.factor) * scale)
        }
        if let shared = block.shared {
            try add(shared, 1 / (1 + exp(-Double(row(1, 5)[0]))))
        }
        return result.map { Float($0) }
    }

    @Test(arguments: InstructionSet.available, 0..<5)
    func addWhatTheirTokensChose(_ set: InstructionSet, _ setting: Int) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set)
        let setting = Self.settings[setting]
        let got = try run(setting, device, .float32, tokens: 0..<20)
        for token in 0..<20 {
            let expected = try expected(setting, device, token: token)
            let own = got[token * Self.width..<(token + 1) * Self.width]
            #expect(zip(expected, own).allSatisfy { abs($0 - $1) < 1e-4 * max(abs($0), 1) })
        }
    }

    /// Whoever shares its experts, however many threads there are, and whether weights are prepared.
    @Test(arguments: InstructionSet.available, WeightFormat.named)
    func aTokensBitsAreItsOwn(_ set: InstructionSet, _ format: WeightFormat) throws {
        for setting in Self.settings {
            let all = try run(
                setting, CPUDevice(threads: 3, instructionSet: set), format, tokens: 0..<40, accumulates: false)
            let device = try CPUDevice(threads: 1, instructionSet: set, panelBudget: 0)
            for tokens in [0..<1, 1..<6, 6..<40] {
                let some = try run(setting, device, format, tokens: tokens, accumulates: false)
                #expect(some == Array(all[tokens.lowerBound * Self.width..<tokens.upperBound * Self.width]))
            }
        }
    }
}
