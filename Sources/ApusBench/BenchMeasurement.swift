public import Apus
package import ApusCompute

/// What a combination gave, over all its rounds. Times are in seconds.
public struct BenchMeasurement: Sendable {
    public let combination: BenchCombination
    /// Of the weights that are not rounded.
    public let dtype: DType
    /// Of the weights in products.
    public let format: WeightFormat
    /// Prompts that each process really had in flight: no more than its share.
    public let inFlight: Int
    /// How many were continued in each round.
    public let prompts: Int
    /// Lengths of the prompts that ran alone.
    public let prefills: [Int]
    let rounds: [BenchRound]
    package let limit: SpeedLimit
    let instruction: String

    /// New tokens of all processes a second: the median over the rounds.
    public var tokensPerSecond: Double { rounds.map(\.tokensPerSecond).median }
    /// What this machine's bandwidth and arithmetic allow.
    public var limitTokensPerSecond: Double { limit.tokensPerSecond(batch: inFlight) }
    /// The share of the limit that was reached, usually between 0 and 1.
    public var share: Double { tokensPerSecond / limitTokensPerSecond }
    /// The slowest process's loading of the model.
    public var loadSeconds: Double { rounds.map(\.loadSeconds).median }
    /// From the start of the processes to the first token of the slowest.
    public var firstTokenSeconds: Double { rounds.map(\.firstTokenSeconds).median }
    /// From a prompt's hand-over to its first token.
    public var requestFirstTokenSeconds: Double { rounds.flatMap(\.requestFirstTokens).median }
    /// Of all processes together, what they share counted once; 0 where the system does not say.
    public var memoryBytes: Double { rounds.map { Double($0.memoryBytes) }.median }

    /// Bytes that went from device to device in the timed part: the median over the rounds.
    package func transferredBytes(_ cause: TransferLedger.Cause) -> Double {
        rounds.map { Double($0.transfers[cause] ?? 0) }.median
    }

    /// A quantile, from 0 to 1, of the time between a sequence's tokens, over all rounds.
    public func stepSeconds(_ quantile: Double) -> Double {
        rounds.flatMap(\.gaps).quantile(min(max(quantile, 0), 1))
    }

    /// The mean time between a sequence's tokens, over all rounds.
    public var meanStepSeconds: Double {
        let gaps = rounds.flatMap(\.gaps)
        return gaps.reduce(0, +) / Double(Swift.max(gaps.count, 1))
    }

    /// Prompt tokens of all processes a second for each length of `prefills`; `nil` for one that does not fit.
    public var prefillTokensPerSecond: [Double?] {
        prefills.indices.map { index in
            solo(index).flatMap { $0.error == nil ? $0.prefillTokensPerSecond : nil }
        }
    }

    /// Medians of a solo; `nil` if it has no rates.
    package func solo(_ index: Int) -> BenchRound.Solo? {
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
