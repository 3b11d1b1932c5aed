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
    private var nextID = 0
    private var isRunning = false
    private let executor: ThreadExecutor

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Prefixes are shared only where keys depend on the tokens before them alone, whatever the limits say.
    /// Throws `ComputeError` (`.outOfMemory`) if the device has no room for the cache.
    package init(_ model: DecoderModel, limits: Scheduler.Limits) throws {
        var limits = limits
        // Elsewhere keys also depend on the length of the prompt.
        if !model.spec.rotary.dependsOnPositionOnly { limits.sharesPrefixes = false }
        self.model = model
        cache = try model.makeCache(blocks: limits.blocks)
        state = model.makeState()
        scheduler = Scheduler(limits: limits)
        executor = try ThreadExecutor()
    }

    deinit { executor.stop() }

    /// Requests that have not ended.
    package var sequenceCount: Int { sequences.count }
    /// Blocks of the cache that no sequence uses.
    package var freeBlockCount: Int { scheduler.freeBlockCount }
    /// Times that a sequence had to be computed again because the cache was full.
    package var preemptionCount: Int { scheduler.preemptionCount }
    /// Tokens that were not computed because another sequence had them already.
    package var sharedTokenCount: Int { scheduler.sharedTokenCount }

    /// Starts a request. The tokens come as they are chosen; dropping the stream ends the sequence.
    package nonisolated func generate(_ request: GenerationRequest) -> AsyncThrowingStream<GeneratedToken, any Error> {
        let (stream, continuation) = AsyncThrowingStream<GeneratedToken, any Error>.makeStream()
        Task { await self.submit(request, continuation) }
        return stream
    }

    /// Runs requests to their ends; results are in the order of the requests.
    package func generate(_ requests: [GenerationRequest]) async throws -> [GenerationOutput] {
        let streams = requests.map { request in
            let (stream, continuation) = AsyncThrowingStream<GeneratedToken, any Error>.makeStream()
            submit(request, continuation)
            return stream
        }
        var outputs: [GenerationOutput] = []
        for (request, stream) in zip(requests, streams) {
            var output = GenerationOutput(promptTokenCount: request.promptTokens.count)
            for try await token in stream { output.append(token) }
            outputs.append(output)
        }
        return outputs
    }

    private func submit(
        _ request: GenerationRequest, _ listener: AsyncThrowingStream<GeneratedToken, any Error>.Continuation
    ) {
        let id = nextID
        nextID += 1
        do {
            let prompt = try tokens(of: request)
            try scheduler.submit(id: id, prompt: prompt, maxNewTokens: request.config.maxNewTokens)
        } catch {
            listener.finish(throwing: error)
            return
        }
        sequences[id] = RunningSequence(request, listener: listener)
        listener.onTermination = { [weak self] reason in
            guard case .cancelled = reason else { return }
            Task { await self?.cancel(id) }
        }
        guard !isRunning else { return }
        isRunning = true
        Task { await self.run() }
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
        defer { isRunning = false }
        while !scheduler.isIdle {
            step()
            // Lets new requests and cancellations in.
            await Task.yield()
        }
    }

    private func step() {
        let step = scheduler.schedule()
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
        let batch = ForwardBatch(step, members.map(\.history))
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

    /// Chooses a token for each sequence from its row of logits. Plain greedy choices are made on the device.
    private func choose(
        _ sequences: [RunningSequence], _ logits: Tensor
    ) throws -> [Result<Sampler.Choice, GenerationError>] {
        guard !sequences.isEmpty else { return [] }
        if sequences.allSatisfy(\.isPlainGreedy) {
            let best = try model.device.makeTensor([sequences.count], .int32)
            try model.device.argmax(logits, into: best)
            return try model.device.download(best).elements(as: Int32.self).map { token in
                token < 0
                    ? .failure(.invalidLogits("the model computed logits that are not numbers"))
                    : .success(Sampler.Choice(token: Int(token), logprob: nil))
            }
        }
        var values = try model.device.download(logits).elements(as: Float.self)
        let width = model.spec.vocabularySize
        return values.withUnsafeMutableBufferPointer { values in
            sequences.enumerated().map { row, sequence in
                var logits = MutableSpan(_unsafeElements: values.extracting(row * width..<(row + 1) * width))
                return Result { () throws(GenerationError) in
                    try sequence.sampler.choose(from: &logits, after: sequence.history)
                }
            }
        }
    }
}
