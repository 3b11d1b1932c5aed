import Apus
import ApusCPU
import ApusModels
import ApusRuns

extension Benchmark {
    /// Runs a combination for some rounds, and measures the machine's limits around every round.
    ///
    /// - Parameters:
    ///   - solos: prompts that run alone before the others.
    ///   - prompts: token ids.
    ///   - announce: says what is being done.
    func measure(
        _ combination: BenchCombination, _ solos: [BenchWorkerSettings.Solo], _ prompts: [[Int]],
        _ announce: (String) -> Void
    ) async throws -> BenchMeasurement {
        let inFlight = min(
            combination.batchSize, max((prompts.count + combination.processes - 1) / combination.processes, 1))
        let longest = max(
            (prompts.map(\.count).max() ?? 0) + newTokens, solos.map { $0.length + $0.newTokens }.max() ?? 0)
        let settings = BenchWorkerSettings(
            model: model.directory, dtype: combination.dtype?.rawValue, quantization: combination.quantization,
            cacheType: combination.cacheType?.rawValue, threads: combination.threads,
            devices: combination.devices,
            // The warm-up's prompts must fit as well.
            inFlight: inFlight, contextLength: max(longest, 32), sharesPrefixes: sharesPrefixes,
            newTokens: newTokens, vocabulary: model.spec.vocabularySize, solos: solos, gates: "", started: 0)
        var measured: [BenchRound] = []
        for number in 1...max(rounds, 1) {
            announce("\(combination)\(rounds > 1 ? ", round \(number) of \(rounds)" : "")")
            measured.append(try await round(combination, settings, prompts))
        }
        let dtype = measured.first.flatMap { DType(rawValue: $0.dtype) } ?? .float32
        let format = measured.first?.format ?? .float32
        return BenchMeasurement(
            combination: combination, dtype: dtype, format: format, inFlight: inFlight, prompts: prompts.count,
            prefills: solos.map(\.length), rounds: measured,
            limit: SpeedLimit(
                parameters: model.spec.parametersInProducts, weightBytes: model.weightBytes(format, tokens: inFlight),
                // A machine that others use reaches its limit now and then; the best is nearest to it.
                bandwidth: measured.map(\.bandwidth).max() ?? 0,
                peak: measured.compactMap(\.peak?.operationsPerSecond).max() ?? 0),
            instruction: measured.first?.peak?.instruction ?? "")
    }

    private func round(
        _ combination: BenchCombination, _ settings: BenchWorkerSettings, _ prompts: [[Int]]
    ) async throws -> BenchRound {
        let limits = MachineLimits(
            threads: combination.processes * combination.threads * (combination.devices.cpuDevices ?? 1),
            instructionSet: instructionSet)
        let before = try limits.readBandwidth()
        let coordinator = try BenchCoordinator(
            settings, processes: combination.processes, prompts: prompts, workerArguments: workerArguments)
        var round = try await coordinator.run()
        round.bandwidth = max(before, try limits.readBandwidth())
        round.peak = limits.peak(MachineLimits.Arithmetic(round.format))
        return round
    }
}
