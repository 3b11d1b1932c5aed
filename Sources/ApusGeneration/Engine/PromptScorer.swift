import ApusCompute
package import ApusModels
import Synchronization

/// Computes what the model would have said of a prompt's own tokens: one prompt at a time, beside the engine, whose cache holds
/// no logits.
final class PromptScorer: Sendable {
    private let model: DecoderModel
    private let contextLength: Int
    /// Made when the first prompt is to be scored.
    private let thread = Mutex<OwnThread?>(nil)

    init(_ model: DecoderModel, contextLength: Int) { (self.model, self.contextLength) = (model, contextLength) }

    /// Logits that are held at a time.
    private static let mostLogits = 1 << 24

    /// One for each token of the prompt, `nil` for the first. Throws `GenerationError` (`.invalidPrompt`) for tokens beyond the
    /// vocabulary, (`.promptTooLong`) beyond the context, (`.outOfMemory`) where the prompt has no room beside the engine, and
    /// `ComputeError`.
    func logprobs(of prompt: [Int]) async throws -> [Double?] {
        let size = model.spec.vocabularySize
        try GenerationError.checkTokens(prompt, vocabulary: size)
        try Scheduler.Limits.check(prompt: prompt.count, maxNewTokens: 0, context: contextLength)
        let thread = try self.thread.withLock { thread throws(GenerationError) in
            if let thread { return thread }
            let own = try OwnThread()
            thread = own
            return own
        }
        let model = model
        return try await thread.run {
            do {
                let most = min(512, max(Self.mostLogits / max(size, 1), 1))
                return [nil] + (try model.logProbabilities(of: prompt, tokensPerStep: most))
            } catch let error as ComputeError where error.code == .outOfMemory {
                throw GenerationError.outOfMemory(
                    "prompt_logprobs: \(prompt.count) tokens have no room beside the cache of what is generated, which a smaller "
                        + "batch size or context length makes smaller: \(error)")
            }
        }
    }
}
