import Apus
import ApusCheckpoints
import ApusDistributed
import ApusGeneration
import ApusJSON

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Where a worker's prompts come from and its results go to: the coordinator, or this process's own queue.
protocol WorkSource: Sendable {
    func next(upTo count: Int) async throws -> [WorkItem]
    func submit(_ index: Int, payload: [UInt8]) async throws
    func report(tokens: Int) throws
}

extension WorkerChannel: WorkSource {}

/// Loads a model and continues prompts from a source, as many at once as the batch size says, until there are none.
struct GenerationWorker: Sendable {
    let model: CausalLanguageModel
    let tokenizer: Tokenizer?
    let overrides: GenerationConfig
    let addsSpecialTokens: Bool
    let inFlight: Int

    /// A worker, loaded on a thread of its own; parameters as for `init`.
    static func load(_ settings: WorkerSettings, jobs: Int, rank: Int) async throws -> GenerationWorker {
        try await OwnThread().run { try GenerationWorker(settings, jobs: jobs, rank: rank) }
    }

    /// - Parameters:
    ///   - jobs: prompts of the whole run: no worker takes more at once than an equal share of them.
    ///   - rank: the first remarks on the checkpoint, for all.
    init(_ settings: WorkerSettings, jobs: Int, rank: Int) throws {
        let processes = settings.processes
        inFlight = min(settings.batchSize, max((jobs + processes - 1) / processes, 1))
        let dtype = settings.dtype.flatMap(DType.init(rawValue:))
        model = try AutoModelForCausalLM.from(
            pretrained: settings.model, dtype: dtype, quantization: settings.quantize,
            cacheType: settings.cacheType.flatMap(DType.init(rawValue:)), threads: settings.threads,
            batchSize: inFlight, contextLength: settings.contextLength)
        addsSpecialTokens = settings.addsSpecialTokens
        // Token ids need no tokenizer, so a checkpoint without one can still be run on those.
        tokenizer = try Self.tokenizer(settings.model)
        var overrides = settings.overrides
        let own = model.generationConfig
        if overrides.maxNewTokens == nil, overrides.maxLength == nil, own.maxNewTokens == nil, own.maxLength == nil {
            overrides.maxNewTokens = WorkerSettings.defaultMaxNewTokens
        }
        self.overrides = overrides
        if rank == 0, !settings.quiet { try remark(on: settings) }
    }

    /// Says what of the checkpoint has no effect, and what is unusual.
    private func remark(on settings: WorkerSettings) throws {
        let directory = settings.model
        model.remarks.forEach(StandardError.write)
        if let length = settings.contextLength, length > model.trainedContextLength {
            StandardError.write(
                "--context-length \(length) passes the \(model.trainedContextLength) tokens that the model was made for"
            )
        }
        let path = directory + "/generation_config.json"
        if let file = try ConfigurationFile(optionalPath: path) {
            let keys = GenerationConfig.unsupportedKeys(in: file)
            if !keys.isEmpty {
                StandardError.write("\(path): not supported and left out: \(keys.joined(separator: ", "))")
            }
        }
        if model.unpreparedWeightBytes > 0 {
            StandardError.write(
                "\(directory): memory is short, so \(model.unpreparedWeightBytes >> 20) MiB of weights are prepared anew at "
                    + "every step, which is slow; --quantize int8 or int4 takes less")
        }
        let unused = model.unusedWeights
        if !unused.isEmpty {
            let names = unused.prefix(5).joined(separator: ", ") + (unused.count > 5 ? ", ..." : "")
            StandardError.write("\(directory): \(unused.count) tensors are not used by the model: \(names)")
        }
    }

    private static func tokenizer(_ directory: String) throws -> Tokenizer? {
        guard FileManager.default.fileExists(atPath: directory + "/tokenizer.json") else { return nil }
        return try AutoTokenizer.from(pretrained: directory)
    }

    func serve(_ source: some WorkSource) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let counter = TokenCounter()
            var running = 0
            var isExhausted = false
            while true {
                if !isExhausted, running < inFlight {
                    let items = try await source.next(upTo: inFlight - running)
                    isExhausted = items.isEmpty
                    for item in items {
                        group.addTask { try await process(item, source, counter) }
                    }
                    running += items.count
                }
                guard running > 0 else { return }
                try await group.next()
                running -= 1
            }
        }
    }

    private func process(_ item: WorkItem, _ source: some WorkSource, _ counter: TokenCounter) async throws {
        let reply: JSONValue
        do {
            reply = try await .object(answer(item, source, counter))
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            // A prompt that cannot be run gets an error of its own; the others go on.
            reply = ["error": .string("\(error)")]
        }
        try await source.submit(item.index, payload: Array(reply.serialized.utf8))
    }

    private func answer(_ item: WorkItem, _ source: some WorkSource, _ counter: TokenCounter) async throws -> JSONObject
    {
        let prompt = try item.payload.withUnsafeBytes { try Prompt(JSONValue(parsing: $0)) }
        let config = overrides.merging(
            try GenerationConfig(ConfigurationFile(file: "settings", object: prompt.settings)))
        let ids = try tokenIDs(prompt)
        var output = GenerationOutput(promptTokenCount: ids.count)
        for try await token in try model.stream(ids, config: config, tokenizer: tokenizer, index: item.index) {
            output.append(token)
            if let total = counter.add() { try source.report(tokens: total) }
        }
        // The stream of a cancelled task just ends: what there is of the text is no result.
        if output.finishReason == .cancelled { throw CancellationError() }
        return ResultLine.reply(output, remarks: remarks(on: prompt, ids, output))
    }

    private func tokenIDs(_ prompt: Prompt) throws(CommandError) -> [Int] {
        switch prompt.content {
        case .tokenIDs(let ids): return ids
        case .text(let text):
            guard let tokenizer else {
                throw CommandError("the checkpoint has no tokenizer.json, so prompts must be prompt_token_ids")
            }
            return tokenizer.encode(text, addSpecialTokens: prompt.addsSpecialTokens ?? addsSpecialTokens)
        }
    }

    /// What a person should know of a result that is right, but perhaps not what was meant. The same words for every prompt,
    /// so that they are said once.
    private func remarks(on prompt: Prompt, _ ids: [Int], _ output: GenerationOutput) -> [String] {
        var remarks: [String] = []
        if case .text = prompt.content, let bos = tokenizer?.bosTokenID, ids.count > 1, ids[0] == bos, ids[1] == bos {
            remarks.append(
                "prompts that have their start token get a second one, as with transformers; --no-special-tokens or "
                    + #""add_special_tokens": false adds none"#)
        }
        if ids.count + output.tokenIDs.count > model.trainedContextLength {
            remarks.append(
                "sequences pass the \(model.trainedContextLength) tokens that the model was made for, where it gets worse"
            )
        }
        return remarks
    }
}
