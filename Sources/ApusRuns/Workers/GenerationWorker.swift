import Apus
import ApusCheckpoints
import ApusCompute
import ApusDistributed
import ApusGeneration
import ApusJSON
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Loads a model and continues prompts from a coordinator, as many at once as the batch size says, until there are none.
final class GenerationWorker: Sendable {
    let model: CausalLanguageModel
    private let tokenizer: Tokenizer?
    private let settings: WorkerSettings
    private let overrides: GenerationConfig
    private let faults: Faults
    private let tokens = Atomic<Int>(0)
    /// On the checkpoint; told with the first result.
    private let remarks: Mutex<[String]>

    /// A worker, loaded on a thread of its own.
    static func load(_ settings: WorkerSettings, rank: Int) async throws -> GenerationWorker {
        try await OwnThread().run { try GenerationWorker(settings, rank: rank) }
    }

    init(_ settings: WorkerSettings, rank: Int) throws {
        self.settings = settings
        faults = try Faults(Faults.ofEnvironment, rank: rank)
        let before = HostMemory.residentByteCount
        try GGUFOverrides.set(settings.metadata)
        model = try AutoModelForCausalLM.from(
            pretrained: settings.model, deviceMap: try settings.devices.map,
            maxMemory: try settings.devices.budgets,
            dtype: settings.dtype.flatMap(DType.init(rawValue:)),
            quantization: settings.quantize, cacheType: settings.cacheType.flatMap(DType.init(rawValue:)),
            cpuDevices: settings.devices.cpuDevices, threads: settings.threads, batchSize: settings.batchSize,
            contextLength: settings.contextLength)
        model.meter.slowDown(by: faults.slowness)
        // Token ids need no tokenizer, so a checkpoint without one can still be run on those.
        tokenizer = try AutoTokenizer.ifPresent(in: settings.tokenizer ?? settings.model)
        if let template = settings.template { try tokenizer?.checkTemplate(template) }
        var overrides = settings.overrides
        let own = model.generationConfig
        if overrides.maxNewTokens == nil, overrides.maxLength == nil, own.maxNewTokens == nil, own.maxLength == nil {
            overrides.maxNewTokens = WorkerSettings.defaultMaxNewTokens
        }
        self.overrides = overrides
        remarks = Mutex(
            (settings.quiet ? [] : try Self.remarks(on: model, settings))
                + (settings.verbose ? Self.memory(of: model, before: before) : []))
    }

    /// What of the checkpoint has no effect, and what is unusual.
    private static func remarks(on model: CausalLanguageModel, _ settings: WorkerSettings) throws -> [String] {
        let directory = settings.model
        var remarks = model.remarks
        if let remark = try GGUFTokenizerFiles.remark(on: settings.tokenizer ?? directory) { remarks.append(remark) }
        if let length = settings.contextLength, length > model.trainedContextLength {
            remarks.append(
                "--context-length \(length) passes the \(model.trainedContextLength) tokens that the model was made for"
            )
        }
        let path = directory + "/generation_config.json"
        if let file = try ConfigurationFile(optionalPath: path) {
            let keys = GenerationConfig.unsupportedKeys(in: file)
            if !keys.isEmpty {
                remarks.append("\(path): not supported and left out: \(keys.joined(separator: ", "))")
            }
        }
        if model.unpreparedWeightBytes > 0 {
            remarks.append(
                "\(directory): memory is short, so \(model.unpreparedWeightBytes >> 20) MiB of weights are prepared anew at "
                    + "every step, which is slow; --quantize int8 or int4 takes less")
        }
        let unused = model.unusedWeights
        if !unused.isEmpty {
            let names = unused.prefix(5).joined(separator: ", ") + (unused.count > 5 ? ", ..." : "")
            remarks.append("\(directory): \(unused.count) tensors are not used by the model: \(names)")
        }
        return remarks
    }

    /// What each device holds, and what the process takes for itself: what it had before the model, and what devices copy from
    /// and to.
    private static func memory(of model: CausalLanguageModel, before: Int) -> [String] {
        let own = before + HostBlock.allocatedByteCount
        return model.deviceMemory.map { device in
            "memory: \(device.owner) \(device.current) B"
                + (device.budget == .max ? "" : " of \(device.budget) B")
        } + ["memory: the process itself \(own) B"]
    }

    /// How far this worker is.
    @Sendable func report() -> WorkerReport {
        let reading = model.meter.reading
        var report = WorkerReport()
        report.tokens = tokens.load(ordering: .relaxed)
        report.steps = reading.steps
        report.longestStep = reading.longestSeconds
        report.stepTokens = Double(reading.tokens)
        report.stepSeconds = reading.seconds
        report.squaredTokens = reading.squaredTokens
        report.tokenSeconds = reading.tokenSeconds
        report.kvBytes = model.transfers[.kv]
        report.hiddenBytes = model.transfers[.hidden]
        report.choiceBytes = model.transfers[.choices]
        return report
    }

    /// Runs what the coordinator hands out until there is no more. Throws what ends this worker: an error that is not a
    /// prompt's own.
    func serve(_ end: some WorkerEnd) async throws {
        try await end.serve(capacity: WorkQueue.room(batchSize: model.batchSize), report: report) {
            try await self.process($0)
        }
    }

    private func process(_ lease: WorkLease) async throws -> [UInt8] {
        let line = try PromptLine(index: lease.item.index, payload: lease.item.payload)
        let prompt: Prompt
        do {
            prompt = try line.prompt()
        } catch {
            throw BadLine(description: "\(settings.inputName), line \(line.number): \(error)")
        }
        try await misbehave(lease)
        var reply: Reply
        do {
            reply = try await answer(line.index, prompt)
        } catch {
            guard Self.isPromptsOwn(error) else { throw error }
            // A prompt that cannot be run gets an error of its own; the others go on.
            let object = ResultLine.line(index: line.index, prompt: prompt, error: "\(error)")
            reply = Reply(line: Array(JSONValue.object(object).serialized.utf8))
            reply.isError = true
            reply.error = "\(error)"
        }
        reply.remarks += remarks.withLock { remarks in
            defer { remarks = [] }
            return remarks
        }
        return reply.payload
    }

    /// A line that is no prompt: no worker can do anything with it.
    struct BadLine: Error, CustomStringConvertible {
        let description: String
    }

    /// Whether another prompt could still be run: memory, the device, a disk are everyone's.
    private static func isPromptsOwn(_ error: any Error) -> Bool {
        switch error {
        case let error as GenerationError:
            [.invalidConfiguration, .promptTooLong, .invalidPrompt, .invalidLogits, .outOfMemory].contains(error.code)
        case let error as TokenizerError: error.code == .invalidChat
        case is RunError, is PromptSettingsError: true
        default: false
        }
    }

    private func misbehave(_ lease: WorkLease) async throws {
        switch faults.fault(at: lease.item.index, isFirst: lease.tries == 0) {
        case .die: Faults.die()
        case .hang: model.meter.slowDown(by: 1e9)
        case .fail: throw BadDevice(description: "the device failed on purpose")
        case .exhaust: _ = Faults.exhaustMemory()
        case nil: break
        }
    }

    private struct BadDevice: Error, CustomStringConvertible {
        let description: String
    }

    /// A prompt's own setting that cannot be read.
    private struct PromptSettingsError: Error, CustomStringConvertible {
        let description: String
    }

    private func answer(_ index: Int, _ prompt: Prompt) async throws -> Reply {
        let own: GenerationConfig
        do {
            let file = ConfigurationFile(file: "settings", object: prompt.settings)
            own = try GenerationConfig(file)
            if let key = GenerationConfig.unsupportedKeys(in: file).first {
                throw PromptSettingsError(description: "settings: \(key) is not supported")
            }
        } catch {
            throw PromptSettingsError(description: "\(error)")
        }
        let ids = try tokenIDs(prompt)
        let config = model.generationConfig.merging(overrides.merging(own))
        var outputs = try await outputs(ids, config, index)
        if config.promptLogprobs == true, outputs[0].promptLogprobs == nil {
            outputs[0].promptLogprobs = try await model.logprobs(ofPrompt: ids)
        }
        let object = ResultLine.line(
            index: index, prompt: prompt, outputs: outputs, isAlone: config.numReturnSequences ?? 1 == 1)
        var reply = Reply(line: Array(JSONValue.object(object).serialized.utf8))
        reply.tokens = outputs.reduce(0) { $0 + $1.tokenIDs.count }
        reply.promptTokens = ids.count
        reply.remarks = remarks(on: prompt, ids, longest: outputs.map(\.tokenIDs.count).max() ?? 0)
        return reply
    }

    private func outputs(_ ids: [Int], _ config: GenerationConfig, _ index: Int) async throws -> [GenerationOutput] {
        if config.numBeams ?? 1 > 1 || config.maxNewTokens == 0 {
            let outputs = try await model.generate([ids], config: config, tokenizer: tokenizer, firstIndex: index)
            tokens.add(outputs.reduce(0) { $0 + $1.tokenIDs.count }, ordering: .relaxed)
            return outputs
        }
        // All are on their way before the first is waited for.
        let streams = try (0..<max(config.numReturnSequences ?? 1, 1)).map { sequence in
            try model.stream(ids, config: config, tokenizer: tokenizer, index: index, sequence: sequence)
        }
        var outputs: [GenerationOutput] = []
        for stream in streams {
            var output = GenerationOutput(promptTokenCount: ids.count)
            for try await token in stream {
                output.append(token)
                tokens.add(1, ordering: .relaxed)
            }
            // The stream of a cancelled task just ends: what there is of the text is no result.
            if output.finishReason == .cancelled { throw CancellationError() }
            outputs.append(output)
        }
        return outputs
    }

    private func tokenIDs(_ prompt: Prompt) throws -> [Int] {
        if case .tokenIDs(let ids) = prompt.content { return ids }
        guard let tokenizer else {
            throw RunError("the checkpoint has no tokenizer, so prompts must be prompt_token_ids")
        }
        switch prompt.content {
        case .tokenIDs(let ids): return ids
        case .chat(let line):
            guard var request = try ChatRequest(line) else { throw RunError("messages is null") }
            request.template = settings.template
            return try tokenizer.encode(tokenizer.render(request))
        case .text(let text):
            return tokenizer.encode(text, addSpecialTokens: prompt.addsSpecialTokens ?? settings.addsSpecialTokens)
        }
    }

    /// What a person should know of a result that is right, but perhaps not what was meant. The same words for every prompt,
    /// so that they are said once.
    private func remarks(on prompt: Prompt, _ ids: [Int], longest: Int) -> [String] {
        var remarks: [String] = []
        if case .text = prompt.content, let bos = tokenizer?.bosTokenID, ids.count > 1, ids[0] == bos, ids[1] == bos {
            remarks.append(
                "prompts that have their start token get a second one, as with transformers; --no-special-tokens or "
                    + #""add_special_tokens": false adds none"#)
        }
        if ids.count + longest > model.trainedContextLength {
            remarks.append(model.remarkOnLength)
        }
        return remarks
    }
}
