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
    /// Most tokens of a prompt and its continuation together.
    public let contextLength: Int
    /// Type of the weights, unless products have integers.
    public var dtype: DType { model.dtype }
    /// What products have their weights in.
    public var format: WeightFormat { model.format }
    /// Positions that the model's configuration names.
    public var maxPositions: Int { model.spec.maxPositions }
    /// Tokens of a prompt and its continuation that the model was made for: its positions, or what the scaling of its rotary
    /// embedding reaches. It runs on beyond them, as with transformers, but what it says gets worse.
    public var trainedContextLength: Int { model.spec.trainedContextLength }
    /// Of sequences that are longer.
    package var remarkOnLength: String {
        "sequences pass the \(trainedContextLength) tokens that the model was made for, where it gets worse"
    }
    /// Where the checkpoint is otherwise than its configuration says.
    public var remarks: [String] { model.remarks }
    /// Tensors of the checkpoint that the model has no use for.
    public var unusedWeights: [String] { model.unusedWeights }

    /// The device of each module. What is on `disk` is read from the checkpoint for every use.
    public var deviceMap: [String: DeviceID] { model.deviceMap }

    /// What each device has handed out for this model, and at most.
    package var deviceMemory: [AllocationCounter] { model.devices.map(\.memory) }

    /// Bytes that went from device to device.
    package var transfers: TransferLedger { engine.transfers }

    /// Bytes of the weights that there was no memory to prepare for the processor: the model runs, but slowly.
    public var unpreparedWeightBytes: Int { model.unpreparedByteCount }

    /// Tokens that were not computed because the cache had them.
    package var sharedTokenCount: Int { get async { await engine.sharedTokenCount } }

    /// Counts the steps that were computed.
    package var meter: StepMeter { engine.meter }

    private let model: DecoderModel
    private let engine: Engine
    private let scorer: PromptScorer

    /// - Parameters:
    ///   - memory: most bytes for keys, values and logits; touched only as far as prompts need them.
    ///   - contextLength: most tokens of a prompt and its continuation; by default what the model's scaling reaches, or twice
    ///     its positions where it has none, and 2048 where that is less.
    ///   - sharesPrefixes: whether prompts that begin alike are computed once up to where they part. Changes no result.
    /// - Throws: `GenerationError` (`.outOfMemory`) if that is too little memory for one sequence, naming what fits.
    package convenience init(
        _ model: DecoderModel, generationConfig: GenerationConfig, batchSize: Int, memory: Int,
        contextLength: Int? = nil, sharesPrefixes: Bool = true
    ) throws {
        let tokensPerStep = Self.tokensPerStep(batchSize: batchSize)
        let context = contextLength ?? model.spec.defaultContextLength
        let size = try CacheSize(
            vocabularySize: model.spec.vocabularySize, contextLength: context, batchSize: batchSize,
            workspace: model.workspaceByteCount(tokens: tokensPerStep, context: context), memory: memory
        ) { blocks, sequences in
            let limits = Scheduler.Limits(
                sequences: sequences, tokensPerStep: tokensPerStep, blocks: blocks, contextLength: context)
            return model.spec.memoryByteCount(limits.steps(of: model), model.cacheType)
        }
        try self.init(
            model, generationConfig,
            Scheduler.Limits(
                sequences: batchSize, tokensPerStep: tokensPerStep, blocks: size.blocks,
                contextLength: size.contextLength, sharesPrefixes: sharesPrefixes))
    }

    /// - Parameters:
    ///   - limits: what a plan has found room for.
    ///   - contextLength: most tokens of a prompt and its continuation; by default as many as there is room for.
    package convenience init(
        _ model: DecoderModel, generationConfig: GenerationConfig, limits: StepLimits, contextLength: Int? = nil,
        sharesPrefixes: Bool = true
    ) throws {
        try self.init(
            model, generationConfig,
            Scheduler.Limits(
                sequences: limits.sequences, tokensPerStep: limits.tokens, blocks: limits.blocks,
                contextLength: min(contextLength ?? model.spec.defaultContextLength, limits.context),
                sharesPrefixes: sharesPrefixes))
    }

    private init(_ model: DecoderModel, _ generationConfig: GenerationConfig, _ limits: Scheduler.Limits) throws {
        self.model = model
        self.generationConfig = generationConfig
        self.batchSize = limits.sequences
        self.contextLength = limits.contextLength
        engine = try Engine(model, limits: limits)
        scorer = PromptScorer(model, contextLength: limits.contextLength)
    }

    /// Prompts in flight at once unless somebody says otherwise.
    package static let defaultBatchSize = 64

    /// Tokens of the largest step: prompts are cut to it.
    package static func tokensPerStep(batchSize: Int) -> Int { max(512, batchSize) }

    /// Continues prompts of token ids. Results are in the order of the prompts, of each as many as `numReturnSequences`.
    ///
    /// - Parameters:
    ///   - config: overrides of ``generationConfig``.
    ///   - tokenizer: makes text of the tokens; needed for `stopStrings`.
    ///   - firstIndex: index of the first prompt in the whole input. Random numbers depend on it, so that a prompt gets
    ///     the same continuation whichever process runs it.
    /// - Throws: `GenerationError` for a setting out of bounds or a prompt that does not fit, `ComputeError`,
    ///   `CancellationError` if the task is cancelled.
    public func generate(
        _ prompts: [[Int]], config: GenerationConfig = GenerationConfig(), tokenizer: Tokenizer? = nil,
        firstIndex: Int = 0
    ) async throws -> [GenerationOutput] {
        let firsts = try prompts.enumerated().map { offset, prompt in
            try request(prompt, config, tokenizer, index: firstIndex + offset)
        }
        var outputs: [GenerationOutput]
        if let config = firsts.first?.config, config.maxNewTokens == 0 {
            outputs = prompts.flatMap { prompt in
                (0..<config.numReturnSequences).map { _ in GenerationOutput(scoring: prompt.count) }
            }
        } else if firsts.contains(where: { $0.config.numBeams > 1 }) {
            outputs = try await engine.search(firsts).flatMap(\.self)
        } else {
            outputs = try await engine.generate(
                firsts.flatMap { first in
                    (0..<first.config.numReturnSequences).map { sequence in
                        var request = first
                        request.sequence = sequence
                        return request
                    }
                })
        }
        guard firsts.first?.config.promptLogprobs == true, !prompts.isEmpty else { return outputs }
        let each = outputs.count / prompts.count
        for (place, prompt) in prompts.enumerated() {
            let found = try await scorer.logprobs(of: prompt)
            for output in place * each..<(place + 1) * each { outputs[output].promptLogprobs = found }
        }
        return outputs
    }

    /// The log-probability of each token of a prompt after those before it, of the model's own distribution; `nil` for the
    /// first. Throws `GenerationError` (`.invalidPrompt`) for tokens beyond the vocabulary, and `ComputeError`.
    public func logprobs(ofPrompt prompt: [Int]) async throws -> [Double?] { try await scorer.logprobs(of: prompt) }

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

    /// Continues one prompt, its tokens given as they are chosen. Dropping the stream ends the generation. In a task that is
    /// cancelled the stream just ends: only a token with a reason is the last of a whole text.
    ///
    /// - Parameter sequence: which of the prompt's continuations to give, where several are sampled.
    public func stream(
        _ prompt: [Int], config: GenerationConfig = GenerationConfig(), tokenizer: Tokenizer? = nil, index: Int = 0,
        sequence: Int = 0
    ) throws -> AsyncThrowingStream<GeneratedToken, any Error> {
        var request = try request(prompt, config, tokenizer, index: index)
        guard request.config.numBeams == 1 else {
            throw GenerationError.invalidConfiguration(
                "num_beams: a beam search has no tokens to give as they are chosen")
        }
        request.sequence = sequence
        return engine.generate(request)
    }

    private func request(
        _ prompt: [Int], _ overrides: GenerationConfig, _ tokenizer: Tokenizer?, index: Int
    ) throws(GenerationError) -> GenerationRequest {
        let config = try generationConfig.merging(overrides).resolved(
            promptLength: prompt.count, maxPositions: contextLength)
        if !config.stopStrings.isEmpty, tokenizer == nil {
            throw .invalidConfiguration("stop_strings need a tokenizer to find them in the text")
        }
        try config.check(vocabulary: model.spec.vocabularySize)
        return GenerationRequest(promptTokens: prompt, config: config, promptIndex: index, tokenizer: tokenizer)
    }
}
