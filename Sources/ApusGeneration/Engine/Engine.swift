import ApusCompute
package import ApusModels

/// Runs a model for any number of requests at once: plans a step, computes it, hands out the tokens, and again.
///
/// It lives on a thread of its own. A request's tokens do not depend on what else is in flight.
package actor Engine {
    private let model: DecoderModel
    private let cache: KVCache
    private var state: DecoderModel.State
    private var scheduler: Scheduler
    private var sequences: [Int: RunningSequence] = [:]
    private let inbox = EngineInbox()
    package nonisolated let meter = StepMeter()
    private let executor: ThreadExecutor
    /// A row of logits that a token is chosen from, kept from step to step.
    private var row: [Float]

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Prefixes are shared only where keys depend on the tokens before them alone, whatever the limits say.
    /// Throws `ComputeError` (`.outOfMemory`) if the device has no room for the cache.
    package init(_ model: DecoderModel, limits: Scheduler.Limits) throws {
        var limits = limits
        // Elsewhere keys also depend on the length of the prompt.
        if !model.spec.sharesPrefixes { limits.sharesPrefixes = false }
        self.model = model
        cache = try model.makeCache(blocks: limits.blocks)
        state = model.makeState()
        scheduler = Scheduler(limits: limits)
        row = [Float](repeating: 0, count: model.spec.vocabularySize)
        executor = try ThreadExecutor()
    }

    deinit { executor.stop() }

    /// Requests that have not ended.
    package var sequenceCount: Int { sequences.count }
    /// Blocks of the cache that no sequence uses.
    package var freeBlockCount: Int { scheduler.freeBlockCount }
    /// Times that a sequence had to be computed again because the cache was full.
    package var preemptionCount: Int { scheduler.preemptionCount }
    /// Seconds of a processor that the engine's own thread has used.
    package var threadSeconds: Double { ThreadExecutor.currentThreadSeconds }
    /// Steps that were computed.
    package private(set) var stepCount = 0
    /// Tokens that were not computed because another sequence had them already.
    package var sharedTokenCount: Int { scheduler.sharedTokenCount }

    /// Starts a request. The tokens come as they are chosen; dropping the stream ends the sequence.
    package nonisolated func generate(_ request: GenerationRequest) -> AsyncThrowingStream<GeneratedToken, any Error> {
        start([request])[0]
    }

    /// Runs requests to their ends; results are in the order of the requests.
    /// Throws `CancellationError` if the task is cancelled.
    package nonisolated func generate(_ requests: [GenerationRequest]) async throws -> [GenerationOutput] {
        var outputs: [GenerationOutput] = []
        for (request, stream) in zip(requests, start(requests)) {
            var output = GenerationOutput(promptTokenCount: request.promptTokens.count)
            for try await token in stream { output.append(token) }
            // The stream of a cancelled task just ends.
            if output.finishReason == .cancelled { throw CancellationError() }
            outputs.append(output)
        }
        return outputs
    }

    private nonisolated func start(_ requests: [GenerationRequest]) -> [EngineInbox.Tokens] {
        let (streams, isServed) = inbox.add(requests)
        if !isServed { Task { await self.run() } }
        return streams
    }

    private func submit(_ arrival: EngineInbox.Arrival) {
        let request = arrival.request
        do {
            let prompt = try tokens(of: request)
            try scheduler.submit(id: arrival.id, prompt: prompt, maxNewTokens: request.config.maxNewTokens)
        } catch {
            arrival.listener.finish(throwing: error)
            return
        }
        sequences[arrival.id] = RunningSequence(request, listener: arrival.listener)
    }

    /// One bad token would fail the step for all that share it.
    private func tokens(of request: GenerationRequest) throws(GenerationError) -> [Int32] {
        let size = model.spec.vocabularySize
        if let token = request.promptTokens.first(where: { !(0..<size).contains($0) }) {
            throw .invalidPrompt("token \(token) is beyond the model's vocabulary of \(size)")
        }
        return request.promptTokens.map { Int32(truncatingIfNeeded: $0) }
    }

    private func cancel(_ id: Int) {
        guard sequences.removeValue(forKey: id) != nil else { return }
        scheduler.cancel(id)
    }

    private func run() async {
        while let mail = inbox.take(isIdle: scheduler.isIdle) {
            for id in mail.dropped { cancel(id) }
            for arrival in mail.arrivals { submit(arrival) }
            if !scheduler.isIdle { step() }
            // Lets questions about the engine in.
            await Task.yield()
        }
    }

    private func step() {
        let start = ContinuousClock.now
        let step = scheduler.schedule()
        stepCount += 1
        defer {
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            let rest = meter.rest(after: seconds)
            if rest > 0 { ThreadExecutor.sleep(seconds: rest) }
            meter.note(tokens: step.tokenCount, seconds: seconds + rest)
        }
        let members = step.sequences.compactMap { sequences[$0.id] }
        do {
            try compute(step, members)
        } catch {
            // A step that fails leaves no sequence of it in a known state.
            for (id, member) in zip(step.sequences.map(\.id), members) {
                scheduler.cancel(id)
                sequences[id] = nil
                member.listener.finish(throwing: error)
            }
        }
    }

    private func compute(_ step: ScheduledStep, _ members: [RunningSequence]) throws {
        let batch = ForwardBatch(step, members.map(\.history), window: model.spec.window)
        let logits = try model.forward(batch, cache: cache, state: &state)
        let yielding = zip(step.sequences, members).filter { $0.0.yieldsToken }.map { (id: $0.0.id, member: $0.1) }
        let choices = try choose(yielding.map(\.member), logits)
        var tokens: [Int32?] = []
        tokens.reserveCapacity(yielding.count)
        for ((id, member), choice) in zip(yielding, choices) {
            var goesOn = false
            switch choice {
            case .success(let choice): goesOn = member.take(choice)
            case .failure(let error): member.listener.finish(throwing: error)
            }
            if !goesOn { sequences[id] = nil }
            tokens.append(goesOn ? member.history.tokens.last.map { Int32(truncatingIfNeeded: $0) } : nil)
        }
        scheduler.update(with: step, tokens: tokens)
    }

    /// Chooses a token for each sequence from its row of logits. The device finds the best of each row, and rows that hold
    /// what is no number; only rows that something else is to be chosen from come to the host.
    private func choose(
        _ sequences: [RunningSequence], _ logits: Tensor
    ) throws -> [Result<Sampler.Choice, GenerationError>] {
        guard !sequences.isEmpty else { return [] }
        let device = model.device
        let best = try device.makeTensor([sequences.count], .int32)
        try device.argmax(logits, into: best)
        let tokens = try device.download(best).elements(as: Int32.self)
        return try zip(sequences, tokens).enumerated().map { index, pair in
            let (sequence, token) = (pair.0, Int(pair.1))
            guard token >= 0 else {
                return .failure(.invalidLogits("the model computed logits that are not numbers"))
            }
            if sequence.isPlainGreedy { return .success(Sampler.Choice(token: token, logprob: nil)) }
            let source = try logits.row(index)
            try row.withUnsafeMutableBytes { try device.download(source, to: $0) }
            var values = row.mutableSpan
            return Result { () throws(GenerationError) in
                try sequence.sampler.choose(from: &values, best: token, after: sequence.history)
            }
        }
    }
}
