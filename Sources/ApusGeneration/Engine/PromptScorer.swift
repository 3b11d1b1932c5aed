package import ApusModels

/// Computes what the model would have said of a prompt's own tokens: one prompt at a time, beside the engine, whose cache holds
/// no logits. It lives on a thread of its own.
actor PromptScorer {
    private let model: DecoderModel
    private let executor: ThreadExecutor

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ model: DecoderModel) throws {
        self.model = model
        executor = try ThreadExecutor()
    }

    deinit { executor.stop() }

    /// Logits that are held at a time.
    private static let mostLogits = 1 << 24

    /// One for each token of the prompt, `nil` for the first. Throws `GenerationError` (`.invalidPrompt`) for tokens beyond the
    /// vocabulary, and `ComputeError`.
    func logprobs(of prompt: [Int]) throws -> [Double?] {
        let size = model.spec.vocabularySize
        if let token = prompt.first(where: { !(0..<size).contains($0) }) {
            throw GenerationError.invalidPrompt("token \(token) is beyond the model's vocabulary of \(size)")
        }
        let found = try model.logProbabilities(
            of: prompt, tokensPerStep: min(512, max(Self.mostLogits / max(size, 1), 1)))
        return [nil] + found
    }
}
