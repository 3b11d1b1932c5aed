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

    /// Throws `ComputeError` (`.outOfMemory`) if the device has no room for the cache.
    package init(_ model: DecoderModel, limits: Scheduler.Limits) throws {
        self.model = model
        cache = try model.makeCache(blocks: limits.blocks)
        state = model.makeState()
        scheduler = Scheduler(limits: limits)
        executor = try ThreadExecutor()
    }

    deinit { executor.stop() }

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
            try check(request)
            try scheduler.submit(
                id: id, promptLength: request.promptTokens.count, maxNewTokens: request.config.maxNewTokens)
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
    private func check(_ request: GenerationRequest) throws(GenerationError) {
        let size = model.spec.vocabularySize
        if let token = request.promptTokens.first(where: { !(0..<size).contains($0) }) {
            throw .invalidPrompt("token \(token) is beyond the model's vocabulary of \(size)")
        }
    }

    private func cancel(_ id: Int) {
        guard sequences.removeValue(forKey: id) != nil else { return }
        scheduler.cancel([id])
    }

    private func run() async {
        defer { isRunning = false }
        while !scheduler.isIdle {
            let plan = scheduler.schedule()
            do {
                try compute(plan)
            } catch {
                // A step that fails leaves no sequence of it in a known state.
                for id in plan.sequences.map(\.id) {
                    sequences.removeValue(forKey: id)?.listener.finish(throwing: error)
                }
                scheduler.cancel(Set(plan.sequences.map(\.id)))
            }
            // Lets new requests and cancellations in.
            await Task.yield()
        }
    }

    private func compute(_ plan: ScheduledStep) throws {
        let logits = try model.forward(batch(plan), cache: cache, state: &state)
        let yielding = plan.sequences.filter(\.yieldsToken).map(\.id)
        let choices = try choose(yielding, logits)
        var ended: Set<Int> = []
        for (id, choice) in zip(yielding, choices) {
            switch choice {
            case .success(let choice):
                guard let token = sequences[id]?.append(choice) else { continue }
                sequences[id]?.listener.yield(token)
                guard token.finishReason != nil else { continue }
                sequences.removeValue(forKey: id)?.listener.finish()
            case .failure(let error):
                sequences.removeValue(forKey: id)?.listener.finish(throwing: error)
            }
            ended.insert(id)
        }
        scheduler.update(with: plan, ended: ended)
    }

    private func batch(_ plan: ScheduledStep) -> ForwardBatch {
        var batch = ForwardBatch()
        let blockSize = Int32(KVCacheLayout.blockSize)
        for (row, scheduled) in plan.sequences.enumerated() {
            guard let sequence = sequences[scheduled.id] else { continue }
            for position in scheduled.range {
                let position32 = Int32(position)
                batch.tokens.append(Int32(sequence.history.tokens[position]))
                batch.positions.append(position32)
                batch.rotaryLengths.append(Int32(max(position + 1, sequence.history.promptLength)))
                batch.sequences.append(Int32(row))
                batch.slots.append(
                    scheduled.blocks[position / KVCacheLayout.blockSize] * blockSize + position32 % blockSize)
            }
            batch.blockTables.append(scheduled.blocks)
            if scheduled.yieldsToken { batch.outputs.append(Int32(batch.tokens.count - 1)) }
        }
        return batch
    }

    /// Chooses a token for each sequence from its row of logits. Plain greedy choices are made on the device.
    private func choose(_ ids: [Int], _ logits: Tensor) throws -> [Result<Sampler.Choice, GenerationError>] {
        guard !ids.isEmpty else { return [] }
        if ids.allSatisfy({ sequences[$0]?.isPlainGreedy ?? true }) {
            let best = try model.device.makeTensor([ids.count], .int32)
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
            ids.enumerated().map { row, id in
                guard let sequence = sequences[id] else {
                    return .failure(.invalidLogits("a sequence without an owner"))
                }
                var logits = MutableSpan(_unsafeElements: values.extracting(row * width..<(row + 1) * width))
                return Result { () throws(GenerationError) in
                    try sequence.sampler.choose(from: &logits, after: sequence.history)
                }
            }
        }
    }
}
