import ApusCheckpoints
import ApusCompute
import ApusJSON
import ApusModels
import ApusTestSupport
import Testing

/// Plans against all cuts that there are.
@Suite struct PlannerTests {
    private static func spec(_ random: inout SplitMix64, layers: Int? = nil) throws -> DecoderSpec {
        let kvHeads = 1 + random.below(3)
        let members: [(String, JSONValue)] = [
            ("model_type", "llama"), ("vocab_size", .integer(100 + random.below(5000))),
            ("hidden_size", .integer(32 * (1 + random.below(8)))),
            ("intermediate_size", .integer(16 * (1 + random.below(60)))),
            ("num_hidden_layers", .integer(layers ?? 1 + random.below(6))),
            ("num_attention_heads", .integer(kvHeads * (1 + random.below(3)))),
            ("num_key_value_heads", .integer(kvHeads)), ("head_dim", .integer(2 * (1 + random.below(20)))),
            ("attention_bias", .bool(random.below(2) == 0)), ("mlp_bias", .bool(random.below(2) == 0)),
            ("tie_word_embeddings", .bool(random.below(2) == 0)),
        ]
        let object = JSONObject(members.map { JSONObject.Member(key: $0.0, value: $0.1) })
        return try DecoderSpec(ConfigurationFile(file: "config.json", object: object))
    }

    private static func model(_ random: inout SplitMix64) throws -> PlanModel {
        try PlanModel(
            spec(&random), dtype: [.float32, .bfloat16][random.below(2)],
            quantization: [nil, .int8, .int4][random.below(3)], cacheType: nil)
    }

    private static func limits(_ random: inout SplitMix64) -> StepLimits {
        let blocks = 1 + random.below(8)
        let sequences = 1 + random.below(9)
        return StepLimits(
            tokens: 16 + random.below(64), outputs: sequences, sequences: sequences, blocksPerSequence: blocks,
            blocks: blocks * sequences)
    }

    /// Every way to give neighbouring parts to devices in their order.
    private static func cuts(_ parts: Int, _ devices: Int) -> [[Range<Int>]] {
        func rest(_ first: Int, _ left: Int) -> [[Range<Int>]] {
            if left == 1 { return [[first..<parts]] }
            return (first...parts).flatMap { end in rest(end, left - 1).map { [first..<end] + $0 } }
        }
        return rest(0, devices)
    }

    private static func planner(_ random: inout SplitMix64, disk: Int? = nil) throws -> Planner {
        let model = try model(&random)
        let limits = limits(&random)
        let whole = Planner(
            model, devices: [PlanDevice(id: .cpu, budget: .max) { _ in 1000 }], limits: limits)
        let all = Double(Int(clamping: whole.load(of: 0, 0..<model.partCount).total))
        let count = 1 + random.below(4)
        let devices = (0..<count).map { index in
            // Often just enough, or just too little.
            let share = Double.random(in: 0.4...2.4, using: &random) / Double(count)
            return PlanDevice(id: DeviceID(kind: "x", index: index), budget: Int(all * share)) { _ in 1000 }
        }
        return Planner(model, devices: devices, limits: limits, disk: disk)
    }

    @Test func aCutThatFitsIsFoundAndTheLoadIsLeast() throws {
        var (fitting, failing) = (0, 0)
        for seed in 0..<600 {
            var random = SplitMix64(seed: UInt64(seed))
            let planner = try Self.planner(&random)
            let cuts = Self.cuts(planner.model.partCount, planner.devices.count)
            func share(_ cut: [Range<Int>]) -> Double {
                cut.enumerated().map { device, parts in
                    Double(planner.load(of: device, parts).total) / Double(planner.devices[device].budget)
                }.max() ?? 0
            }
            let best = cuts.map(share).min() ?? .infinity
            let isFitting = best <= 1
            for rule in DeviceMap.Rule.allCases {
                guard let placement = planner.place(rule, hasBudgets: true) else {
                    #expect(!isFitting, "seed \(seed), \(rule)")
                    continue
                }
                #expect(planner.fits(placement), "seed \(seed), \(rule)")
                // Tied weights may fit together where no cut does.
                if isFitting { #expect(placement.stages.count <= planner.devices.count, "seed \(seed), \(rule)") }
                guard isFitting, rule == .auto || rule == .balanced else { continue }
                let own = zip(planner.loads(placement), planner.devices).map { Double($0.total) / Double($1.budget) }
                #expect((own.max() ?? 0) <= best * 1.000001, "seed \(seed), \(rule)")
            }
            #expect(planner.hasPlacement == (planner.place(.auto, hasBudgets: true) != nil), "seed \(seed)")
            if isFitting { fitting += 1 } else { failing += 1 }
        }
        #expect(fitting > 100 && failing > 100)
    }

    @Test func rulesDoWhatTheySay() throws {
        for seed in 0..<300 {
            var random = SplitMix64(seed: UInt64(seed) + 7000)
            let planner = try Self.planner(&random)
            let cuts = Self.cuts(planner.model.partCount, planner.devices.count).filter { cut in
                cut.enumerated().allSatisfy { planner.fits($0, $1) }
            }
            guard !cuts.isEmpty else { continue }
            func counts(_ placement: Placement?) -> [Int] {
                planner.devices.map { device in placement?.devices.count { $0 == device.id } ?? 0 }
            }
            // The first device has the least that any cut gives it.
            let low = counts(planner.place(.balancedLow0, hasBudgets: true))
            #expect(low[0] == cuts.map(\.[0].count).min(), "seed \(seed)")
            // Each device in its turn has the most.
            let filled = counts(planner.place(.sequential, hasBudgets: true))
            #expect(filled == cuts.map { $0.map(\.count) }.max { $0.lexicographicallyPrecedes($1) }, "seed \(seed)")
        }
    }

    @Test func noMoreIsReadFromADiskThanMustBe() throws {
        var spilled = 0
        for seed in 0..<300 {
            var random = SplitMix64(seed: UInt64(seed) + 9000)
            let planner = try Self.planner(&random, disk: .max)
            let found = planner.place(.auto, hasBudgets: true)
            #expect(planner.hasPlacement == (found != nil), "seed \(seed)")
            guard let placement = found else { continue }
            #expect(planner.fits(placement))
            // The map of its names asks for the same.
            let map = DevicePlan(planner, placement).deviceMap.map { module, device in
                DeviceMap.Entry(module: module, target: .name(device.description))
            }
            let again = try DeviceMap.placement(map, of: planner.model.spec, devices: planner.devices.map(\.id))
            #expect(again == placement, "seed \(seed)")
            let resident = Planner(planner.model, devices: planner.devices, limits: planner.limits)
            if resident.place(.auto, hasBudgets: true) != nil {
                #expect(placement.streamed.isEmpty, "seed \(seed)")
                continue
            }
            spilled += 1
            // Without one of the streamed layers on the disk, its device has no room.
            for part in placement.streamed where part > 0 {
                var less = placement
                less.streamed.remove(part)
                #expect(!planner.fits(less), "seed \(seed): \(placement)")
            }
        }
        #expect(spilled > 30)
    }

    @Test func namesAreFoundByTheLongestPrefix() throws {
        var random = SplitMix64(seed: 3)
        let spec = try Self.spec(&random, layers: 3)
        let devices = (0..<3).map { DeviceID(kind: "cpu", index: $0) }
        func place(_ map: DeviceMap) throws -> Placement {
            guard case .entries(let entries) = map.content else { throw ModelError.invalidDeviceMap("is a rule") }
            return try DeviceMap.placement(entries, of: spec, devices: devices)
        }
        let placement = try place(["": "cpu:1", "model.layers": 2, "model.layers.1": "cpu:0", "model.norm": "cpu:2"])
        #expect(placement.devices.map(\.index) == [1, 2, 0, 2, 1] && placement.streamed.isEmpty)
        // What is on disk runs where the part before it does, the first on the first device.
        let streamed = try place([
            "model.embed_tokens": "disk", "model.layers.0": "disk", "model.layers.1": "cpu:1", "model.layers.2": "disk",
            "lm_head": DeviceID(kind: "cpu", index: 2), "model.rotary_emb": 0,
        ])
        #expect(streamed.devices.map(\.index) == [0, 0, 1, 1, 2] && streamed.streamed == [0, 1, 3])
        #expect(try place(["": "disk"]).devices.allSatisfy { $0 == devices[0] })
        let bad: [(DeviceMap, String)] = [
            (["model.layers.3": 0], "model.layers.3"), (["": "cpu:7"], "cpu:7"), (["": 5], "5"),
            (["lm_head": 0], "embed"),
            (["": 0, "model.layers.1.mlp": 1], "model.layers.1.mlp"), (["": 0, "model.layer": 1], "model.layer"),
        ]
        for (map, word) in bad {
            let error = #expect(throws: ModelError.self) { try place(map) }
            #expect(error?.code == .invalidDeviceMap && error?.message.contains(word) == true)
        }
    }

    @Test func bytesAreReadAsAccelerateWritesThem() {
        let right = [
            ("1000000", 1_000_000), ("2e9", 2_000_000_000), ("512MiB", 512 << 20), ("2GB", 2_000_000_000),
            ("1.5GiB", 3 << 29), ("8Gb", 1_000_000_000), ("-5", -5), ("0", 0), ("3KB", 3000),
        ]
        for (text, bytes) in right { #expect(ByteCount.parse(text) == bytes, "\(text)") }
        for text in ["", "GiB", "1XB", "ten", "1e400", "nan", "0x10", "inf"] { #expect(ByteCount.parse(text) == nil) }
    }
}
