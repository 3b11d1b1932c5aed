#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How well a model foretells a text: exp of the mean negative log-probability (natural) of its tokens.
public struct Perplexity: Sendable, Equatable {
    /// 1 at best; infinite where a token was held impossible, or where none was scored no number.
    public var value: Double { exp(-logProbability / Double(tokens)) }
    /// Tokens that were scored.
    public private(set) var tokens = 0
    /// The sum of theirs.
    public private(set) var logProbability = 0.0

    mutating func add(_ logProbability: Double) {
        tokens += 1
        self.logProbability += logProbability
    }

    /// Where the windows of a text lie, and which tokens each scores: those after its first that no window before has scored.
    package static func windows(of count: Int, window: Int, stride: Int) -> [(tokens: Range<Int>, scored: Range<Int>)] {
        var windows: [(tokens: Range<Int>, scored: Range<Int>)] = []
        var (start, done) = (0, 0)
        while done < count {
            let end = min(start + window, count)
            windows.append((start..<end, max(start + 1, done)..<max(end, start + 1)))
            done = end
            start += stride
        }
        return windows
    }
}

extension CausalLanguageModel {
    /// The perplexity of a text in windows, as llama.cpp's and transformers' recipes measure it: each token after a window's
    /// first is scored once, the last short window too.
    ///
    /// - Parameters:
    ///   - window: tokens that the model sees at once, at least 2.
    ///   - stride: tokens from the start of a window to that of the next, from 1 to `window`; with fewer than `window`, only
    ///     tokens that were not scored before count, and have more before them.
    ///   - progress: is told the share that is done, and what there is so far; what it throws ends the work.
    /// - Throws: `GenerationError` (`.invalidPrompt`) for tokens beyond the vocabulary, (`.promptTooLong`) for a window beyond
    ///   the context, (`.invalidConfiguration`) for a stride or window out of bounds; `ComputeError`.
    public func perplexity(
        of tokens: [Int], window: Int = 512, stride: Int? = nil,
        progress: (_ share: Double, Perplexity) throws -> Void = { _, _ in }
    ) async throws -> Perplexity {
        let stride = stride ?? window
        guard window >= 2, 1...window ~= stride else {
            throw GenerationError.invalidConfiguration(
                "windows of \(window) tokens, one each \(stride): expected 1 to \(window)")
        }
        var result = Perplexity()
        for (window, scored) in Perplexity.windows(of: tokens.count, window: window, stride: stride)
        where !scored.isEmpty {
            try Task.checkCancellation()
            let logprobs = try await self.logprobs(ofPrompt: Array(tokens[window]))
            for index in scored { result.add(logprobs[index - window.lowerBound] ?? 0) }
            try progress(Double(window.upperBound) / Double(tokens.count), result)
        }
        return result
    }
}
