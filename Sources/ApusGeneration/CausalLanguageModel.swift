public import ApusCompute
package import ApusModels
public import ApusTokenizers

/// A language model that continues prompts. Made by `AutoModelForCausalLM`; safe to use from many tasks at once, whose
/// prompts then share its steps.
public final class CausalLanguageModel: Sendable {
    /// What the checkpoint's `generation_config.json` sets; every call may override it.
    public let generationConfig: GenerationConfig
    /// Most prompts in flight at once.
    public let batchSize: Int
    /// Type of the weights in products.
    public var dtype: DType { model.dtype }
    /// Positions that the model was trained for.
    public var maxPositions: Int { model.spec.maxPositions }
    /// Tensors of the checkpoint that the model has no use for.
    public var unusedWeights: [String] { model.unusedWeights }

    private let model: DecoderModel
    private let engine: Engine

    /// - Parameter cacheBytes: most memory for keys and values; it is touched only as far as prompts need it.
    package init(_ model: DecoderModel, generationConfig: GenerationConfig, batchSize: Int, cacheBytes: Int) throws {
        self.model = model
        self.generationConfig = generationConfig
        self.batchSize = max(batchSize, 1)
        // Room for every sequence in flight at the model's full length, or at 2048 tokens where the model is shorter:
        // sequences may be longer than the model was trained for.
        let blockSize = KVCacheLayout.blockSize
        let longest = max(min(model.spec.maxPositions, 1 << 20), 2048)
        let (wanted, overflow) = (longest / blockSize + 1).multipliedReportingOverflow(by: self.batchSize)
        let possible = max(cacheBytes / (model.cacheBytesPerToken * blockSize), 1)
        let blocks = min(overflow ? possible : min(wanted, possible), Int(Int32.max) / blockSize)
        engine = try Engine(
            model, limits: Scheduler.Limits(sequences: self.batchSize, tokensPerStep: 512, blocks: blocks))
    }

    /// Continues prompts of token ids. Results are in the order of the prompts.
    ///
    /// - Parameters:
    ///   - config: overrides of ``generationConfig``.
    ///   - tokenizer: makes text of the tokens; needed for `stopStrings`.
    ///   - firstIndex: index of the first prompt in the whole input. Random numbers depend on it, so that a prompt gets
    ///     the same continuation whichever process runs it.
    /// - Throws: `GenerationError` for a setting out of bounds or a prompt that does not fit, `ComputeError`.
    public func generate(
        _ prompts: [[Int]], config: GenerationConfig = GenerationConfig(), tokenizer: Tokenizer? = nil,
        firstIndex: Int = 0
    ) async throws -> [GenerationOutput] {
        let requests = try prompts.enumerated().map { offset, prompt in
            try request(prompt, config, tokenizer, index: firstIndex + offset)
        }
        return try await engine.generate(requests)
    }

    /// Continues an encoded batch; its padding is left out, whichever side it is on.
    public func generate(
        _ batch: BatchEncoding, config: GenerationConfig = GenerationConfig(), tokenizer: Tokenizer? = nil,
        firstIndex: Int = 0
    ) async throws -> [GenerationOutput] {
        let prompts = zip(batch.inputIDs, batch.attentionMask).map { ids, mask in
            zip(ids, mask).filter { $1 != 0 }.map(\.0)
        }
        return try await generate(prompts, config: config, tokenizer: tokenizer, firstIndex: firstIndex)
    }

    /// Continues one prompt, its tokens given as they are chosen. Dropping the stream ends the generation.
    public func stream(
        _ prompt: [Int], config: GenerationConfig = GenerationConfig(), tokenizer: Tokenizer? = nil, index: Int = 0
    ) throws -> AsyncThrowingStream<GeneratedToken, any Error> {
        engine.generate(try request(prompt, config, tokenizer, index: index))
    }

    private func request(
        _ prompt: [Int], _ overrides: GenerationConfig, _ tokenizer: Tokenizer?, index: Int
    ) throws(GenerationError) -> GenerationRequest {
        let config = try generationConfig.merging(overrides).resolved(
            promptLength: prompt.count, maxPositions: model.spec.maxPositions)
        if !config.stopStrings.isEmpty, tokenizer == nil {
            throw .invalidConfiguration("stop_strings need a tokenizer to find them in the text")
        }
        return GenerationRequest(promptTokens: prompt, config: config, promptIndex: index, tokenizer: tokenizer)
    }
}
