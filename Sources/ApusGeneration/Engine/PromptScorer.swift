package import ApusModels
import Synchronization

/// Computes what the model would have said of a prompt's own tokens: one prompt at a time, beside the engine, whose cache holds
/// no logits.
final class PromptScorer: Sendable {
    private let model: DecoderModel
    /// Made when the first prompt is to be scored.
    private let thread = Mutex<OwnThread?>(nil)

    init(_ model: DecoderModel) { self.model = model }

    /// Logits that are held at a time.
    private static let mostLogits = 1 << 24

    /// One for each token of the prompt, `nil` for the first. Throws `GenerationError` (`.invalidPrompt`) for tokens beyond the
    /// vocabulary, and `ComputeError`.
    func logprobs(of prompt: [Int]) async throws -> [Double?] {
        let size = model.spec.vocabularySize
        try GenerationError.checkTokens(prompt, vocabulary: size)
        let thread = try self.thread.withLock { thread throws(GenerationError) in
            if let thread { return thread }
            let own = try OwnThread()
            thread = own
            return own
        }
        let model = model
        return try await thread.run {
            [nil]
                + (try model.logProbabilities(
                    of: prompt, tokensPerStep: min(512, max(Self.mostLogits / max(size, 1), 1))))
        }
    }
}
