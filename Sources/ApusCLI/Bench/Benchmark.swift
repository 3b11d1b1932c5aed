import Apus
import ApusCPU
import ApusCompute
import ApusModels

/// Runs combinations, each for some rounds, and measures the machine's limits around every round.
struct Benchmark {
    let model: BenchModel
    let newTokens: Int
    let rounds: Int
    let sharesPrefixes: Bool
    let instructionSet: InstructionSet
    /// Says what is being done.
    let announce: (String) -> Void

    /// The batched and unbatched benchmark.
    ///
    /// - Parameters:
    ///   - prompts: token ids.
    ///   - prefills: lengths of prompts that run alone in each round to time the prefill.
    func measure(
        _ combination: BenchCombination, _ prompts: [[Int]], prefills: [Int]
    ) async throws -> BenchMeasurement {
        let solos = prefills.map { BenchWorkerSettings.Solo(length: $0, newTokens: 1) }
        return try await measure(combination, solos, prompts)
    }

    /// One sequence in each process at several lengths: prefill of the context, then some tokens after it.
    func measure(_ combination: BenchCombination, contexts: [Int], newTokens: Int) async throws -> BenchMeasurement {
        let solos = contexts.map { BenchWorkerSettings.Solo(length: $0, newTokens: newTokens + 1) }
        return try await measure(combination, solos, [])
    }

    private func measure(
        _ combination: BenchCombination, _ solos: [BenchWorkerSettings.Solo], _ prompts: [[Int]]
    ) async throws -> BenchMeasurement {
        let inFlight = min(
            combination.batchSize, max((prompts.count + combination.processes - 1) / combination.processes, 1))
        let longest = max(
            (prompts.map(\.count).max() ?? 0) + newTokens, solos.map { $0.length + $0.newTokens }.max() ?? 0)
        let settings = BenchWorkerSettings(
            model: model.directory, dtype: combination.dtype?.rawValue, quantization: combination.quantization,
            cacheType: combination.cacheType?.rawValue, threads: combination.threads,
            // The warm-up's prompts must fit as well.
            inFlight: inFlight, contextLength: max(longest, 32), sharesPrefixes: sharesPrefixes,
            newTokens: newTokens, vocabulary: model.spec.vocabularySize, solos: solos, gates: "", started: 0)
        var measured: [BenchRound] = []
        for number in 1...max(rounds, 1) {
            announce("\(Self.title(combination))\(rounds > 1 ? ", round \(number) of \(rounds)" : "")")
            measured.append(try await round(combination, settings, prompts))
        }
        let dtype = measured.first.flatMap { DType(rawValue: $0.dtype) } ?? .float32
        let format = measured.first?.format ?? .float32
        return BenchMeasurement(
            combination: combination, dtype: dtype, format: format, inFlight: inFlight, prompts: prompts.count,
            prefills: solos.map(\.length), rounds: measured,
            limit: SpeedLimit(
                parameters: model.spec.parametersInProducts, weightBytes: model.weightBytes(format),
                // A machine that others use reaches its limit now and then; the best is nearest to it.
                bandwidth: measured.map(\.bandwidth).max() ?? 0,
                peak: measured.compactMap(\.peak?.operationsPerSecond).max() ?? 0),
            instruction: measured.first?.peak?.instruction ?? "")
    }

    private func round(
        _ combination: BenchCombination, _ settings: BenchWorkerSettings, _ prompts: [[Int]]
    ) async throws -> BenchRound {
        let limits = MachineLimits(
            threads: combination.processes * combination.threads, instructionSet: instructionSet)
        let before = try limits.readBandwidth()
        let coordinator = try BenchCoordinator(settings, processes: combination.processes, prompts: prompts)
        var round = try await coordinator.run()
        round.bandwidth = max(before, try limits.readBandwidth())
        round.peak = limits.peak(MachineLimits.Arithmetic(round.format))
        return round
    }

    static func title(_ combination: BenchCombination) -> String {
        "\(combination.processes) × \(combination.threads) threads, batch \(combination.batchSize)"
            + (combination.dtype.map { ", \($0)" } ?? "") + (combination.quantization.map { ", \($0)" } ?? "")
            + (combination.cacheType.map { ", \($0) cache" } ?? "")
    }
}
