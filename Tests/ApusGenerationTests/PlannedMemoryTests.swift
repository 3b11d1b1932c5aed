import ApusCPU
import ApusCompute
import ApusGeneration
import ApusModels
import ApusTestSupport
import Testing

/// What a plan says a device will hold is what it holds, and no step takes more.
@Suite struct PlannedMemoryTests {
    @Test(arguments: 0..<40)
    func devicesHoldWhatThePlanSays(_ seed: Int) async throws {
        let model = try RandomModel(seed: UInt64(seed))
        var random = SplitMix64(seed: UInt64(seed) ^ 0x77)
        let threads = 1 + random.below(2)
        let quantization = [nil, nil, Quantization.int8, .int4][random.below(4)]
        let description = try ModelDescription(path: model.directory.path, quantization: quantization)
        let workspace = try CPUWorkspace(threads: threads)
        let ids = (0..<1 + random.below(3)).map { DeviceID(kind: "cpu", index: $0) }
        let plan = try DevicePlan(
            description.planned(cacheType: nil),
            devices: ids.map { id in PlanDevice(id: id, budget: 1 << 28) { workspace.byteCount($0) } }, disk: nil,
            DevicePlan.Wish(
                map: .balanced, batchSize: 1 + random.below(6), contextLength: 40 + random.below(100),
                standardBatchSize: 64, hasBudgets: true
            ) { max($0, 48) })
        // Exactly what is planned, and not a byte more.
        let devices = try zip(ids, plan.loads).filter { $0.1.total > 0 }.map { id, load in
            QueuedDevice(
                try CPUDevice(id: id, threads: threads, budget: Int(load.total)), queue: try ThreadQueue(cores: nil))
        }
        let placed = try DecoderModel.load(description, devices: devices, placement: plan.placement)
        let limits = Scheduler.Limits(
            sequences: plan.limits.sequences, tokensPerStep: plan.limits.tokens, blocks: plan.limits.blocks,
            contextLength: plan.limits.context, sharesPrefixes: false)
        let engine = try Engine(placed, limits: limits)
        let before = devices.map(\.memory.current)
        let context = plan.limits.context
        _ = try await engine.generate(
            try (0..<plan.limits.sequences).map { index in
                GenerationRequest(
                    promptTokens: (0..<context - 8).map { ($0 * 7 + index) % 40 },
                    config: try GenerationConfig(maxNewTokens: 8, eosTokenIDs: []).resolved(promptLength: context - 8),
                    promptIndex: index)
            })
        for (device, held) in zip(devices, before) {
            let load = plan.loads[plan.devices.firstIndex { $0.id == device.id } ?? 0]
            #expect(device.memory.peak == held, "\(device.id) took memory in a step")
            #expect(Double(held) > 0.95 * Double(load.total), "\(device.id): \(held) of \(load)")
        }
    }
}
