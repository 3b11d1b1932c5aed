package import ApusCPU
import ApusRuns

/// Measures how fast a model runs on this machine, and what the machine allows.
///
/// Each combination runs in fresh processes of this same program, so a program asks `BenchWorkerProcess.isOne` first.
/// Opening lines are continued by the same number of tokens each, end tokens ignored, and the machine's bandwidth and
/// arithmetic are measured around every round: run nothing else meanwhile.
///
///     if BenchWorkerProcess.isOne {
///         try await BenchWorkerProcess.serve()
///     } else {
///         let benchmark = try Benchmark(directory: "Llama-3.2-1B")
///         for batchSize in [1, 16, 64] {
///             let measurement = try await benchmark.measure(BenchCombination(batchSize: batchSize))
///             print(measurement.combination, measurement.tokensPerSecond, measurement.share)
///         }
///     }
public struct Benchmark: Sendable {
    package let model: BenchModel
    package let instructionSet: InstructionSet
    /// New tokens of each prompt.
    public var newTokens = 100
    /// Of each combination; figures are medians over them.
    public var rounds = 3
    /// Whether prompts share the keys and values of what they begin with alike. Off, so that all work is done.
    public var sharesPrefixes = false
    /// Arguments with which this program is a worker: one that asks `BenchWorkerProcess.isOne` first needs none.
    public var workerArguments: [String] = []

    /// - Parameter directory: of a checkpoint in Hugging Face's layout.
    /// - Throws: `CheckpointError` for files that are missing or broken, `ModelError` for an architecture that is not
    ///   supported, `TokenizerError`, or `ComputeError` for an instruction set that this machine lacks.
    public init(directory: String) throws {
        try self.init(BenchModel(directory: directory), instructionSet: .selected())
    }

    package init(_ model: BenchModel, instructionSet: InstructionSet) {
        self.model = model
        self.instructionSet = instructionSet
    }

    /// Measures one combination, batched as it says.
    ///
    /// - Parameters:
    ///   - prompts: how many are continued in each round.
    ///   - prefills: lengths in tokens of prompts that run alone in each round to time the prefill.
    /// - Throws: `RunError` for a number that cannot be measured, `DistributedError` with the words of a process that
    ///   could not go on, `ComputeError` where there is no memory to measure the machine.
    public func measure(
        _ combination: BenchCombination, prompts: Int = 100, prefills: [Int] = []
    ) async throws -> BenchMeasurement {
        try await measure(combination, prompts: prompts, prefills: prefills) { _ in }
    }

    /// - Parameter announce: says what is being done.
    package func measure(
        _ combination: BenchCombination, prompts: Int, prefills: [Int], announce: (String) -> Void
    ) async throws -> BenchMeasurement {
        try check(combination, [("prompts", prompts)] + prefills.map { ("prefills", $0) })
        let solos = prefills.map { BenchWorkerSettings.Solo(length: $0, newTokens: 1) }
        return try await measure(combination, solos, model.prompts(prompts), announce)
    }

    /// One sequence in each process at several lengths: prefill of the context, then some tokens after it.
    package func measure(
        _ combination: BenchCombination, contexts: [Int], newTokens: Int, announce: (String) -> Void
    ) async throws -> BenchMeasurement {
        try check(combination, contexts.map { ("contexts", $0) })
        let solos = contexts.map { BenchWorkerSettings.Solo(length: $0, newTokens: newTokens + 1) }
        return try await measure(combination, solos, [], announce)
    }

    private func check(_ combination: BenchCombination, _ others: [(name: String, value: Int)]) throws(RunError) {
        let numbers = [
            ("processes", combination.processes), ("threads", combination.threads),
            ("batchSize", combination.batchSize), ("newTokens", newTokens), ("rounds", rounds),
        ]
        for (name, value) in numbers + others where !(1...1_000_000).contains(value) {
            throw RunError("\(name) must be from 1 to 1000000, not \(value)")
        }
    }
}
