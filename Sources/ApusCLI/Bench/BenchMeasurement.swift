import Apus
import ApusCPU
import ApusCompute
import ApusJSON

/// What one round of a combination gave. Times are in seconds.
struct BenchRound: Sendable {
    /// A prompt that ran alone in each process; rates are sums over the processes.
    struct Solo: Sendable {
        /// From the prompt's hand-over to its first token, in the slowest process.
        var firstTokenSeconds = 0.0
        var prefillTokensPerSecond = 0.0
        var decodeTokensPerSecond: Double?
        /// Why there are no rates.
        var error: String?
    }

    var dtype = ""
    /// What the products of the model that was run are made of.
    var format = WeightFormat.float32
    /// From the opening of the gate to the last result.
    var seconds = 0.0
    var tokens = 0
    /// The slowest worker's loading of its model.
    var loadSeconds = 0.0
    /// From the start of the processes to the first token of the slowest: loading and a short prompt.
    var firstTokenSeconds = 0.0
    /// For each prompt of the timed part, from its hand-over to the engine to its first token.
    var requestFirstTokens: [Double] = []
    /// Between one token of a sequence and its next.
    var gaps: [Double] = []
    /// Proportional memory of all workers together.
    var memoryBytes = 0
    var solos: [Solo] = []

    /// Of this machine, measured around the round.
    var bandwidth = 0.0
    var peak: MachineLimits.Peak?

    var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }
}

/// All rounds of a combination.
struct BenchMeasurement: Sendable {
    let combination: BenchCombination
    /// Of the weights that are not rounded.
    let dtype: DType
    /// Of the weights in products.
    let format: WeightFormat
    /// Prompts that each process really had in flight: no more than its share.
    let inFlight: Int
    /// How many were continued in each round.
    let prompts: Int
    /// Lengths of the prompts that ran alone.
    let prefills: [Int]
    let rounds: [BenchRound]
    let limit: SpeedLimit
    let instruction: String

    var tokensPerSecond: Double { rounds.map(\.tokensPerSecond).median }
    var limitTokensPerSecond: Double { limit.tokensPerSecond(batch: inFlight) }
    var share: Double { tokensPerSecond / limitTokensPerSecond }
    var loadSeconds: Double { rounds.map(\.loadSeconds).median }
    var firstTokenSeconds: Double { rounds.map(\.firstTokenSeconds).median }
    var requestFirstTokenSeconds: Double { rounds.flatMap(\.requestFirstTokens).median }
    var memoryBytes: Double { rounds.map { Double($0.memoryBytes) }.median }

    /// A quantile of the time between a sequence's tokens, over all rounds.
    func stepSeconds(_ quantile: Double) -> Double { rounds.flatMap(\.gaps).quantile(quantile) }

    /// The mean time between a sequence's tokens, over all rounds.
    var meanStepSeconds: Double {
        let gaps = rounds.flatMap(\.gaps)
        return gaps.reduce(0, +) / Double(Swift.max(gaps.count, 1))
    }

    /// Medians of a solo; `nil` if it has no rates.
    func solo(_ index: Int) -> BenchRound.Solo? {
        let solos = rounds.compactMap { $0.solos.indices.contains(index) ? $0.solos[index] : nil }
        guard !solos.isEmpty else { return nil }
        if let error = solos.compactMap(\.error).first { return BenchRound.Solo(error: error) }
        let decode = solos.compactMap(\.decodeTokensPerSecond)
        return BenchRound.Solo(
            firstTokenSeconds: solos.map(\.firstTokenSeconds).median,
            prefillTokensPerSecond: solos.map(\.prefillTokensPerSecond).median,
            decodeTokensPerSecond: decode.isEmpty ? nil : decode.median)
    }
}

extension [Double] {
    /// 0 for none; the mean of the two in the middle for an even number.
    var median: Double { quantile(0.5) }

    /// Linear between the two nearest.
    func quantile(_ fraction: Double) -> Double {
        let sorted = sorted()
        guard let last = sorted.last else { return 0 }
        let place = fraction * Double(sorted.count - 1)
        let index = Int(place)
        guard index + 1 < sorted.count else { return last }
        return sorted[index] + (sorted[index + 1] - sorted[index]) * (place - Double(index))
    }
}
