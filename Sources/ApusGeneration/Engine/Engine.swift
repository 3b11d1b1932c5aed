package import ApusCompute
package import ApusModels
import DequeModule

/// Runs a model for any number of requests at once: plans a step, computes it, hands out the tokens, and again.
///
/// It lives on a thread of its own. A request's tokens do not depend on what else is in flight.
package actor Engine {
    private let model: DecoderModel
    private let runner: ModelRun
    package nonisolated let transfers: TransferLedger
    var scheduler: Scheduler
    /// Steps that were asked for and are not resolved, the oldest first.
    private var flights: Deque<StepFlight> = []
    /// Steps of a lane that may be on their way at a time.
    private let depth: Int
    private var nextLane = 0
    /// Where in the last step of each lane a sequence's token is chosen, by its id.
    private var rows: [[Int: Int]]
    private var lastEnd = ContinuousClock.now
    var sequences: [Int: RunningSequence] = [:]
    /// Beam searches, by the ids of their requests.
    var groups: [Int: BeamGroup] = [:]
    /// Those whose beams have all yielded.
    var decided: [BeamGroup] = []
    /// Of beams that no request has brought.
    var nextBeamID = -1
    private let inbox = EngineInbox()
    package nonisolated let meter = StepMeter()
    private let executor: ThreadExecutor

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Enough rows for products to be at their fastest.
    private static let tokensInChain = 64

    /// Prefixes are shared only where keys depend on the tokens before them alone, whatever the limits say.
    /// Throws `ComputeError` (`.outOfMemory`) if the device has no room for the cache.
    package init(_ model: DecoderModel, limits: Scheduler.Limits) throws {
        var limits = limits
        // Elsewhere keys also depend on the length of the prompt.
        if !model.spec.sharesPrefixes { limits.sharesPrefixes = false }
        limits.recomputedPast = model.spec.recomputedPast
        self.model = model
        limits.lanes = model.placement.lanes(answersLater: model.answersLater)
        depth = Placement.depth(answersLater: model.answersLater)
        rows = [[Int: Int]](repeating: [:], count: limits.lanes)
        let steps = limits.steps(of: model)
        runner = try ModelRun(model, steps, lanes: limits.lanes)
        limits.windows = steps.windows.enumerated().map { index, width in
            Scheduler.Limits.Window(width: width, blocks: steps.blocks(ofGroup: index + 1))
        }
        // Prompts in small pieces, so that the last device of a chain soon has something to do.
        if limits.lanes > 1 {
            limits.tokensPerStep = min(limits.tokensPerStep, max(Self.tokensInChain, limits.sequences))
        }
        transfers = runner.ledger
        scheduler = Scheduler(limits: limits)
        executor = try ThreadExecutor()
    }

    deinit { executor.stop() }

    /// Requests that have not ended.
    package var sequenceCount: Int { sequences.count }
    /// Blocks of the cache that no sequence uses.
    package var freeBlockCount: Int { scheduler.freeBlockCount }
    /// Blocks that there are.
    package var blockCount: Int { scheduler.limits.blocks }
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

    /// Runs a beam search for each request, side by side; the sequences that a request wants are in order, the best first.
    /// Throws `CancellationError` if the task is cancelled.
    package nonisolated func search(_ requests: [GenerationRequest]) async throws -> [[GenerationOutput]] {
        let (streams, isServed) = inbox.add(searches: requests)
        if !isServed { serve() }
        var outputs: [[GenerationOutput]] = []
        for stream in streams {
            var found: [GenerationOutput]?
            for try await sequences in stream { found = sequences }
            guard let found else { throw CancellationError() }
            outputs.append(found)
        }
        return outputs
    }

    private nonisolated func start(_ requests: [GenerationRequest]) -> [EngineInbox.Tokens] {
        let (streams, isServed) = inbox.add(requests)
        if !isServed { serve() }
        return streams
    }

    private nonisolated func serve() { Task { await self.run() } }

    private func submit(_ arrival: EngineInbox.Arrival) {
        let request = arrival.request
        do {
            let prompt = try tokens(of: request)
            let sequence = RunningSequence(request, id: arrival.id, arrival.listener)
            try scheduler.submit(
                id: arrival.id, prompt: prompt, maxNewTokens: request.config.maxNewTokens,
                runsAhead: depth > 1 && sequence.isPlainGreedy, beams: sequence.group?.request.config.numBeams)
            sequences[arrival.id] = sequence
            groups[arrival.id] = sequence.group
        } catch {
            arrival.listener.finish(throwing: error)
        }
    }

    /// One bad token would fail the step for all that share it.
    private func tokens(of request: GenerationRequest) throws(GenerationError) -> [Int32] {
        try GenerationError.checkTokens(request.promptTokens, vocabulary: model.spec.vocabularySize)
        return request.promptTokens.map { Int32(truncatingIfNeeded: $0) }
    }

    private func cancel(_ id: Int) {
        if let group = groups[id] { return end(group) }
        guard sequences.removeValue(forKey: id) != nil else { return }
        scheduler.cancel(id)
    }

    private func run() async {
        while let mail = inbox.take(isIdle: scheduler.isIdle && flights.isEmpty) {
            for id in mail.dropped { cancel(id) }
            for arrival in mail.arrivals { submit(arrival) }
            launch()
            if let flight = flights.popFirst() { collect(flight) }
            // Lets questions about the engine in.
            await executor.letOthersIn()
        }
    }

    /// Asks for steps until each lane has as many on their way as it may have, or nothing to do.
    private func launch() {
        var idle = 0
        while idle < scheduler.limits.lanes {
            let lane = nextLane
            nextLane = (lane + 1) % scheduler.limits.lanes
            guard flights.count(where: { $0.step.lane == lane }) < depth else {
                idle += 1
                continue
            }
            let start = ContinuousClock.now
            let step = scheduler.schedule(lane: lane)
            guard !step.sequences.isEmpty else {
                idle += 1
                continue
            }
            idle = 0
            launch(step, start)
        }
    }

    private func launch(_ step: ScheduledStep, _ start: ContinuousClock.Instant) {
        stepCount += 1
        let members = step.sequences.compactMap { sequences[$0.id] }
        let yielding = zip(step.sequences, members).filter(\.0.yieldsToken)
        let batch = ForwardBatch(
            step, members.map(\.history), recomputedPast: model.spec.recomputedPast, window: model.spec.window,
            rows: rows[step.lane])
        let chosenHere = yielding.indices.filter { !yielding[$0].1.isPlainGreedy }
        let logitRows = (chosenHere.first ?? 0)..<(chosenHere.last.map { $0 + 1 } ?? 0)
        do {
            let pending = try runner.launch(batch, lane: step.lane, logitRows: logitRows)
            rows[step.lane] = Dictionary(uniqueKeysWithValues: yielding.enumerated().map { ($1.0.id, $0) })
            flights.append(StepFlight(step: step, yielding: yielding.map(\.0.id), pending: pending, start: start))
        } catch {
            fail(step, error)
        }
    }

    /// A step that fails leaves no sequence of it in a known state.
    private func fail(_ step: ScheduledStep, _ error: any Error) {
        for sequence in step.sequences {
            guard let member = sequences[sequence.id] else { continue }
            member.finish(throwing: error)
            if let group = member.group { end(group) } else { cancel(sequence.id) }
        }
    }

    /// Waits for a step and hands out its tokens.
    private func collect(_ flight: StepFlight) {
        do {
            try flight.pending.wait()
            let seconds = (ContinuousClock.now - max(flight.start, lastEnd)) / .seconds(1)
            let rest = meter.rest(after: seconds)
            if rest > 0 { ThreadExecutor.sleep(seconds: rest) }
            meter.note(tokens: flight.step.tokenCount, seconds: seconds + rest)
            lastEnd = ContinuousClock.now
            scheduler.resolve(flight.step, tokens: try take(flight))
            advanceGroups()
        } catch {
            fail(flight.step, error)
        }
    }

    /// The next token of each sequence that the step yields one of, `nil` where a sequence ends or has ended meanwhile.
    private func take(_ flight: StepFlight) throws -> [Int32?] {
        let best = try flight.pending.choices()
        return try flight.yielding.enumerated().map { row, id in
            guard let member = sequences[id] else { return nil }
            let choice: Sampler.Choice
            switch try choose(member, best[row], row, flight.pending) {
            case .success(let chosen): choice = chosen
            case .failure(let error):
                member.finish(throwing: error)
                if let group = member.group { end(group) } else { sequences[id] = nil }
                return nil
            }
            if let group = member.group {
                if group.note(choice, of: id) { decided.append(group) }
                return nil
            }
            guard member.take(choice) else {
                sequences[id] = nil
                return nil
            }
            return Int32(truncatingIfNeeded: choice.token)
        }
    }

    /// Chooses a token for a sequence. The device has found the best of its row of logits, and whether the row holds what is
    /// no number; only rows that something else is to be chosen from came to the host.
    private func choose(
        _ sequence: RunningSequence, _ best: Int32, _ row: Int, _ step: PendingStep
    ) throws -> Result<Sampler.Choice, GenerationError> {
        guard best >= 0 else {
            return .failure(.invalidLogits("the model computed logits that are not numbers"))
        }
        if sequence.isPlainGreedy { return .success(Sampler.Choice(token: Int(best), logprob: nil)) }
        return try step.withLogits(of: row) { logits in
            var values = logits.mutableSpan
            return Result { () throws(GenerationError) in
                try sequence.sampler.choose(from: &values, best: Int(best), after: sequence.history)
            }
        }
    }
}

/// A step that was asked for.
private struct StepFlight {
    let step: ScheduledStep
    /// Sequences that it yields tokens of, in the order of its outputs.
    let yielding: [Int]
    let pending: PendingStep
    let start: ContinuousClock.Instant
}

extension Scheduler.Limits {
    /// What a model must have room for.
    func steps(of model: DecoderModel) -> StepLimits {
        var steps = StepLimits(
            tokens: tokensPerStep, outputs: sequences, sequences: sequences, blocksPerSequence: blocksPerSequence,
            blocks: blocks)
        if forgetsPastWindows { steps.windows = model.spec.windows(within: steps.context) }
        let answersLater = model.answersLater
        steps.flights = model.placement.lanes(answersLater: answersLater) * Placement.depth(answersLater: answersLater)
        return steps
    }
}
