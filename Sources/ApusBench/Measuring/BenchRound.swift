import Apus
import ApusCPU
import ApusCompute

/// What one round of a combination gave. Times are in seconds.
package struct BenchRound: Sendable {
    /// A prompt that ran alone in each process; rates are sums over the processes.
    package struct Solo: Sendable {
        /// From the prompt's hand-over to its first token, in the slowest process.
        package var firstTokenSeconds = 0.0
        package var prefillTokensPerSecond = 0.0
        package var decodeTokensPerSecond: Double?
        /// Why there are no rates.
        package var error: String?
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
    /// Bytes that went from device to device in the timed part, by cause.
    var transfers: [TransferLedger.Cause: Int] = [:]

    /// Of this machine, measured around the round.
    var bandwidth = 0.0
    var peak: MachineLimits.Peak?

    var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }
}
