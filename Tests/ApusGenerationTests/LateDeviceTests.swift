import ApusCPU
import ApusCompute
import ApusGeneration
import ApusModels
import ApusTestSupport
import Synchronization
import Testing

/// Whole models on devices that answer as late as they may.
@Suite struct LateDeviceTests {
    @Test(arguments: 0..<5)
    func tokensAreThoseOfADeviceThatAnswersAtOnce(_ group: Int) async throws {
        var preemptions = 0
        for seed in group * 10..<group * 10 + 10 {
            preemptions += try await Self.compare(UInt64(seed))
        }
        // The histories reach what they are about.
        #expect(preemptions > 0)
    }

    /// Returns how often a sequence had to give its blocks back.
    private static func compare(_ seed: UInt64) async throws -> Int {
        let model = try RandomModel(seed: seed)
        let requests = try RandomRequests(seed: seed, vocabulary: model.spec.vocabularySize)
        let plain = try DecoderModel.load(directory: model.directory.path, device: CPUDevice(threads: 1))
        let expected = try await requests.alone(on: plain)

        var random = SplitMix64(seed: seed ^ 0xFF)
        let world = LateWorld(seed: seed)
        let devices = try (0..<1 + random.below(3)).map { try LateDevice(DeviceID(kind: "late", index: $0), in: world) }
        let placement = RandomModel.placement(model.spec.layers, on: devices.map(\.id), &random)
        let late = try DecoderModel.load(directory: model.directory.path, devices: devices, placement: placement)
        let engine = try Engine(late, limits: requests.limits(&random))
        let outputs = try await requests.together(on: engine, cancelling: random.below(3))
        for (index, output) in outputs.enumerated() where output != nil {
            #expect(output == expected[index], "seed \(seed), request \(index)")
        }
        #expect(await engine.freeBlockCount == engine.blockCount, "seed \(seed)")
        #expect(late.devices.allSatisfy { $0.unpreparedByteCount == 0 })
        return await engine.preemptionCount
    }

    /// One copy to the device and one from it a step, nothing allocated, and the next step asked for before anybody waits.
    @Test func aStepCostsOneCopyEachWay() async throws {
        let world = LateWorld(seed: 1)
        let device = try LateDevice(.cpu, in: world)
        let model = try DecoderModel.load(directory: ModelFixture.load("mha").directory, device: device)
        let engine = try Engine(model, limits: .init(sequences: 4, tokensPerStep: 64, blocks: 40))
        let before = device.counts
        let waits = world.waits
        let lead = Mutex<[Int]>([])
        world.onWait { lead.withLock { $0.append(device.counts.steps) } }
        let config = try GenerationConfig(maxNewTokens: 30, eosTokenIDs: []).resolved(promptLength: 9)
        _ = try await engine.generate(
            (0..<4).map { index in
                GenerationRequest(promptTokens: (0..<9).map { $0 + index }, config: config, promptIndex: index)
            })
        world.onWait(nil)
        let counts = device.counts
        #expect(counts.steps == 30)
        #expect(counts.copiesIn - before.copiesIn == 30 && counts.copiesOut - before.copiesOut == 30)
        #expect(counts.allocations == before.allocations)
        #expect(world.waits - waits == 30)
        // When the host waits for a step, the next is on its way; behind the last there is none.
        #expect(lead.withLock { $0 } == (2...30).map { $0 } + [30])
    }

    /// What is sampled comes to the host as one copy more.
    @Test func sampledRowsCostOneCopyMore() async throws {
        let world = LateWorld(seed: 2)
        let device = try LateDevice(.cpu, in: world)
        let model = try DecoderModel.load(directory: ModelFixture.load("mha").directory, device: device)
        let engine = try Engine(model, limits: .init(sequences: 4, tokensPerStep: 64, blocks: 40))
        let before = device.counts
        let config = try GenerationConfig(maxNewTokens: 10, doSample: true, eosTokenIDs: [], seed: 3).resolved(
            promptLength: 5)
        _ = try await engine.generate([
            GenerationRequest(promptTokens: [1, 2, 3, 4, 5], config: config, promptIndex: 0)
        ])
        #expect(device.counts.copiesOut - before.copiesOut == 2 * (device.counts.steps - before.steps))
        #expect(device.counts.allocations == before.allocations)
    }

    @Test func misuseIsNamed() throws {
        let world = LateWorld(seed: 3)
        let device = try LateDevice(.cpu, in: world)
        let block = try device.makeHostBlock("the test's block", byteCount: 64)
        let tensor = try device.makeTensor([16])
        device.copyIn(block, byteCount: 64, to: tensor)
        let complaint = #expect(throws: ComputeError.self) { try block.withBytes { $0[0] = 1 } }
        #expect(complaint?.code == .misuse && complaint?.message.contains("the test's block") == true)
        try device.synchronize()
        try block.withBytes { $0[0] = 1 }
        // What another device has cannot be used here.
        let other = try LateDevice(DeviceID(kind: "cpu", index: 1), in: world)
        other.argmax(try device.makeTensor([1, 16]), into: try other.makeTensor([1], .int32))
        let failure = #expect(throws: ComputeError.self) { try other.synchronize() }
        #expect(failure?.message.contains("another device") == true)
    }
}
