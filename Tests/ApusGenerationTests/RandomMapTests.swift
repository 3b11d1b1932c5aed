import ApusCPU
import ApusCompute
import ApusGeneration
import ApusModels
import ApusTestSupport
import Testing

/// Random models on random maps over devices with threads of their own: the same bits.
@Suite struct RandomMapTests {
    @Test(arguments: 0..<8)
    func noMapChangesABit(_ group: Int) async throws {
        for seed in group * 5..<group * 5 + 5 { try await Self.compare(UInt64(seed)) }
    }

    private static func compare(_ seed: UInt64) async throws {
        let model = try RandomModel(seed: seed)
        var random = SplitMix64(seed: seed ^ 0x55)
        let quantization = [nil, nil, Quantization.int8, .int4][random.below(4)]
        let requests = try RandomRequests(seed: seed, vocabulary: model.spec.vocabularySize)
        let plain = try DecoderModel.load(
            directory: model.directory.path, device: CPUDevice(threads: 1), quantization: quantization)
        let expected = try await requests.alone(on: plain)

        for _ in 0..<4 {
            let ids = (0..<1 + random.below(3)).map { DeviceID(kind: "cpu", index: $0) }
            let devices = try ids.map { id in
                QueuedDevice(
                    try CPUDevice(id: id, threads: 1 + random.below(2), budget: 1 << 28),
                    queue: try ThreadQueue(cores: nil))
            }
            var placement = RandomModel.placement(model.spec.layers, on: ids, &random)
            // Weights that are rounded cannot be read for every use.
            if quantization != nil { placement.streamed = [] }
            let placed = try DecoderModel.load(
                directory: model.directory.path, devices: devices, placement: placement, quantization: quantization)
            let engine = try Engine(placed, limits: requests.limits(&random))
            let outputs = try await requests.together(on: engine, cancelling: 0)
            #expect(outputs == expected, "seed \(seed): \(placement)")
            #expect(engine.transfers[.kv] == 0)
        }
    }

    /// What crosses is what was computed, once at each boundary.
    @Test func hiddenStatesCrossOnce() async throws {
        let fixture = try ModelFixture.load("mha")
        let devices = try (0..<2).map { index in
            QueuedDevice(
                try CPUDevice(id: DeviceID(kind: "cpu", index: index), threads: 1), queue: try ThreadQueue(cores: nil))
        }
        let plain = try DecoderModel.load(directory: fixture.directory, device: CPUDevice(threads: 1))
        let layers = plain.spec.layers
        let parts = (0..<layers + 2).map { devices[$0 % 2].id }
        let model = try DecoderModel.load(
            directory: fixture.directory, devices: devices, placement: Placement(devices: parts))
        let engine = try Engine(
            model, limits: .init(sequences: 4, tokensPerStep: 64, blocks: 40, sharesPrefixes: false))
        let config = try GenerationConfig(maxNewTokens: 12, eosTokenIDs: []).resolved(promptLength: 9)
        _ = try await engine.generate(
            (0..<3).map { index in
                GenerationRequest(promptTokens: (0..<9).map { $0 + index }, config: config, promptIndex: index)
            })
        // The last token is chosen and never fed back.
        let tokens = 3 * (9 + 12 - 1)
        #expect(engine.transfers[.hidden] == tokens * model.spec.hiddenSize * 4 * (layers + 1))
        #expect(engine.transfers[.kv] == 0)
    }
}

extension RandomModel {
    /// Each part anywhere, neighbours together more often than not, some of them read for every use.
    static func placement(_ layers: Int, on ids: [DeviceID], _ random: inout SplitMix64) -> Placement {
        var device = ids[random.below(ids.count)]
        let devices = (0..<layers + 2).map { _ in
            if random.below(3) == 0 { device = ids[random.below(ids.count)] }
            return device
        }
        let streamed = random.below(2) == 0 ? [] : (0..<layers + 2).filter { _ in random.below(3) == 0 }
        return Placement(devices: devices, streamed: Set(streamed))
    }
}
