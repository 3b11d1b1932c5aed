import Apus
import ApusRuns

/// What a worker of the benchmark is told at its start.
struct BenchWorkerSettings: Sendable, Codable {
    /// A prompt that runs alone, before the timed part: its keys and values are computed, then some tokens follow.
    struct Solo: Sendable, Codable, Hashable {
        var length: Int
        var newTokens: Int
    }

    var model: String
    var dtype: String?
    var quantization: Quantization?
    var cacheType: String?
    var threads: Int
    var devices: DeviceSettings
    /// Prompts in flight at once in each process.
    var inFlight: Int
    /// Most tokens of a prompt and its continuation.
    var contextLength: Int
    var sharesPrefixes: Bool
    var newTokens: Int
    var vocabulary: Int
    var solos: [Solo]
    /// Directory of the gates.
    var gates: String
    /// When the coordinator started this round, on the clock that all processes share.
    var started: Double

    /// Every worker goes through these, each with a gate at its end: loaded, memory, one for each solo.
    var phases: Int { 2 + solos.count }
}
