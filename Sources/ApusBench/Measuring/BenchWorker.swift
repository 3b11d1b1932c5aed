import Apus
import ApusCompute
import ApusDistributed
import ApusGeneration
import ApusJSON
import ApusRuns

/// A worker's side of the benchmark: loads, warms up, runs its solos, waits with the others at a gate after each, and
/// then continues prompts from the coordinator as fast as it can.
struct BenchWorker {
    let settings: BenchWorkerSettings
    let channel: WorkerChannel

    func run() async throws {
        let begin = MonotonicClock.seconds
        let model = try AutoModelForCausalLM.from(
            pretrained: settings.model, deviceMap: try settings.devices.map, maxMemory: try settings.devices.budgets,
            dtype: settings.dtype.flatMap(DType.init(rawValue:)),
            quantization: settings.quantization,
            cacheType: settings.cacheType.flatMap(DType.init(rawValue:)),
            cpuDevices: settings.devices.cpuDevices, threads: settings.threads,
            batchSize: settings.inFlight,
            contextLength: settings.contextLength,
            sharesPrefixes: settings.sharesPrefixes)
        let loaded = MonotonicClock.seconds
        let first = try await times(model, prompt(length: 16, seed: 1), newTokens: 1)
        let firstToken = (first.last ?? loaded) - settings.started
        try await warmUp(model)
        try await phase(0) {
            [
                "load_seconds": .number(loaded - begin), "first_token_seconds": .number(firstToken),
                "dtype": .string(model.dtype.rawValue), "format": .string(model.format.description),
            ]
        }
        // All models are loaded and none has ended: what they share counts once.
        try await phase(1) { ["memory_bytes": .integer(ProcessMemory.proportionalBytes ?? 0)] }
        for (index, solo) in settings.solos.enumerated() {
            try await phase(2 + index) { try await measure(solo, model, seed: UInt64(100 + index)) }
        }
        try await serve(model)
    }

    private func prompt(length: Int, seed: UInt64) -> [Int] {
        BenchPrompts.random(length: length, vocabulary: settings.vocabulary, seed: seed)
    }

    /// Touches the memory that the timed part will need.
    private func warmUp(_ model: CausalLanguageModel) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<settings.inFlight {
                let ids = prompt(length: 16, seed: UInt64(1000 + index))
                group.addTask { _ = try await times(model, ids, newTokens: 4) }
            }
            try await group.waitForAll()
        }
        if let longest = settings.solos.map(\.length).max() {
            _ = try await times(model, prompt(length: min(longest, 512), seed: 2), newTokens: 1)
        }
    }

    /// Takes this worker's job of a phase, does it, and waits until the coordinator has every worker's result.
    private func phase(_ number: Int, _ body: () async throws -> JSONObject) async throws {
        guard let item = try await channel.next(capacity: 1).first else {
            throw RunError("the coordinator has no job of phase \(number)")
        }
        let reply = JSONValue.object(try await body())
        try await channel.submit([(item, Array(reply.serialized.utf8))])
        try StartingGates.wait(number, in: settings.gates)
    }

    private func measure(
        _ solo: BenchWorkerSettings.Solo, _ model: CausalLanguageModel, seed: UInt64
    ) async throws -> JSONObject {
        let ids = prompt(length: solo.length, seed: seed)
        let begin = MonotonicClock.seconds
        let times: [Double]
        do {
            times = try await self.times(model, ids, newTokens: solo.newTokens)
        } catch let error as GenerationError {
            // A length beyond what fits is an answer too; the others go on.
            return ["error": .string("\(error)")]
        }
        guard let first = times.first, let last = times.last else { return ["error": "no token came"] }
        let seconds = max(first - begin, 1e-9)
        var reply: JSONObject = [
            "first_token_seconds": .number(seconds),
            "prefill_tokens_per_second": .number(Double(solo.length) / seconds),
        ]
        if times.count > 1 {
            reply.append("decode_tokens_per_second", .number(Double(times.count - 1) / max(last - first, 1e-9)))
        }
        return reply
    }

    /// The timed part, as the workers of `apus generate` do it.
    private func serve(_ model: CausalLanguageModel) async throws {
        let before = TransferLedger.Cause.allCases.map { model.transfers[$0] }
        try await channel.serve(capacity: settings.inFlight) { try await answer($0, model, before) }
    }

    private func answer(_ lease: WorkLease, _ model: CausalLanguageModel, _ before: [Int]) async throws -> [UInt8] {
        let begin = MonotonicClock.seconds
        let payload = try lease.item.payload.withUnsafeBytes { try JSONValue(parsing: $0) }
        let ids = payload.array?.compactMap(\.integer) ?? []
        let times = try await times(model, ids, newTokens: settings.newTokens)
        let gaps = zip(times, times.dropFirst()).map { JSONValue.integer(Int((($1 - $0) * 1e6).rounded())) }
        let reply: JSONValue = [
            "tokens": .integer(times.count), "first_seconds": .number((times.first ?? begin) - begin),
            "gaps_microseconds": .array(gaps),
            "transfers": .array(zip(TransferLedger.Cause.allCases, before).map { .integer(model.transfers[$0] - $1) }),
        ]
        return Array(reply.serialized.utf8)
    }

    /// When each new token came. End tokens are ordinary ones here, so every prompt gets as many as it should.
    private func times(_ model: CausalLanguageModel, _ ids: [Int], newTokens: Int) async throws -> [Double] {
        let config = GenerationConfig(
            maxNewTokens: newTokens, minNewTokens: newTokens, doSample: false, repetitionPenalty: 1, eosTokenIDs: [])
        var times: [Double] = []
        times.reserveCapacity(newTokens)
        for try await _ in try model.stream(ids, config: config) { times.append(MonotonicClock.seconds) }
        return times
    }
}
