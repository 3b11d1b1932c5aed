import ApusCheckpoints
import ApusCompute
import ApusJSON
import ApusModels
import Testing

/// Models and budgets whose maps by Accelerate 1.15 are known: a table, six blocks and a head of the same size.
@Suite struct AccelerateExamplesTests {
    /// Bytes of each of the eight parts there, and here.
    private static let (theirs, ours) = (2048, 272 * 32 * 4)

    private static func model(tied: Bool = false) throws -> PlanModel {
        let object: JSONObject = [
            "model_type": "llama", "vocab_size": 272, "hidden_size": 32, "intermediate_size": 48,
            "num_hidden_layers": 6, "num_attention_heads": 1, "head_dim": 32, "tie_word_embeddings": .bool(tied),
        ]
        return try PlanModel(
            DecoderSpec(ConfigurationFile(file: "config.json", object: object)), dtype: .float32, quantization: nil,
            cacheType: nil)
    }

    /// Budgets for weights, with what else a device holds on top of them.
    private static func planner(
        _ budgets: [(String, Int?)], tied: Bool = false, disk: Int? = nil
    ) throws -> Planner {
        let model = try model(tied: tied)
        let limits = StepLimits(tokens: 16, outputs: 1, sequences: 1, blocksPerSequence: 1, blocks: 1)
        let whole = Planner(model, devices: [PlanDevice(id: .cpu, budget: .max) { _ in 0 }], limits: limits)
        let load = whole.load(of: 0, 0..<model.partCount)
        let matrices = Int128((tied ? 7 : 8) * ours)
        // Vectors, keys and values are small here; Accelerate's example has none in its blocks.
        let rest = Int(clamping: load.total - matrices)
        let devices = try budgets.map { name, budget in
            PlanDevice(
                id: try DeviceID(parsing: name), budget: budget.map { $0 / theirs * ours + rest } ?? .max / 4
            ) { _ in 0 }
        }
        return Planner(model, devices: devices, limits: limits, disk: disk)
    }

    private static func counts(_ planner: Planner, _ placement: Placement) -> [Int] {
        planner.devices.map { device in
            placement.devices.indices.count { placement.devices[$0] == device.id && !placement.streamed.contains($0) }
        }
    }

    /// Accelerate leaves the head on the processor, although there is room for it.
    @Test(arguments: DeviceMap.Rule.allCases) func whatFitsOnTwoStaysThere(_ rule: DeviceMap.Rule) throws {
        let planner = try Self.planner([("cuda:0", 10_000), ("cuda:1", 10_000), ("cpu", nil)], disk: .max)
        let placement = try #require(planner.place(rule, hasBudgets: true))
        #expect(Self.counts(planner, placement) == [4, 4, 0])
    }

    /// Accelerate puts three parts on the disk.
    @Test(arguments: DeviceMap.Rule.allCases) func whatFitsOnThreeNeedsNoDisk(_ rule: DeviceMap.Rule) throws {
        let planner = try Self.planner([("cuda:0", 8000), ("cuda:1", 6000), ("cpu", 8000)], disk: .max)
        let placement = try #require(planner.place(rule, hasBudgets: true))
        #expect(Self.counts(planner, placement) == [3, 2, 3])
    }

    /// Accelerate holds two parts of the eight.
    @Test(arguments: DeviceMap.Rule.allCases) func whatMustSpillSpillsNoMore(_ rule: DeviceMap.Rule) throws {
        let planner = try Self.planner([("cuda:0", 6000), ("cpu", 6000)], disk: .max)
        let placement = try #require(planner.place(rule, hasBudgets: true))
        #expect(planner.fits(placement))
        #expect(Self.counts(planner, placement).reduce(0, +) >= 4)
    }

    /// Accelerate has five of seven parts on the first two.
    @Test(arguments: DeviceMap.Rule.allCases) func tiedWeightsCountOnce(_ rule: DeviceMap.Rule) throws {
        let planner = try Self.planner([("cuda:0", 8000), ("cuda:1", 8000), ("cpu", nil)], tied: true, disk: .max)
        let placement = try #require(planner.place(rule, hasBudgets: true))
        #expect(planner.fits(placement) && placement.streamed.isEmpty)
        let loads = planner.loads(placement)
        #expect(loads[0].weights + loads[1].weights >= Int128(5 * Self.ours))
    }

    /// Accelerate's largest share is three parts.
    @Test func balancedOverThree() throws {
        let budgets: [(String, Int?)] = [("cuda:0", 1 << 20), ("cuda:1", 1 << 20), ("cuda:2", 1 << 20)]
        let planner = try Self.planner(budgets)
        let placement = try #require(planner.place(.balanced, hasBudgets: true))
        #expect(Self.counts(planner, placement).max() == 3)
        let low = try #require(planner.place(.balancedLow0, hasBudgets: true))
        #expect(Self.counts(planner, low) == [0, 4, 4])
    }
}
