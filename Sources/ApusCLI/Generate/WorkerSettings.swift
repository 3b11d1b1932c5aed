import Apus
import ApusJSON

/// What every worker of a run is told at its start.
struct WorkerSettings: Sendable, Codable {
    var model: String
    var dtype: String?
    var quantize: Quantization?
    var cacheType: String?
    var threads: Int?
    var batchSize: Int
    var contextLength: Int?
    var processes: Int
    var overrides: GenerationConfig
    /// Whether special tokens are put around prompts that do not say.
    var addsSpecialTokens: Bool
    /// Whether to leave out remarks on the checkpoint.
    var quiet: Bool

    /// New tokens of `apus generate` when neither the caller nor the model sets a length: enough for a short story.
    static let defaultMaxNewTokens = 100
}
