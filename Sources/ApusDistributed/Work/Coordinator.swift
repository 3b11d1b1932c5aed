import DequeModule
import NIOCore
import Synchronization

/// Answers the workers of a pool from the queue, sees to it that they live, and has their results kept.
final class Coordinator: Sendable {
    struct Worker {
        var state = WorkerState.loading
        var health: WorkerHealth
        /// A request for jobs that could not be answered yet.
        var asking: (request: UInt64, capacity: Int)?
        /// Of lives before this one, and of this one.
        var earlier = WorkerReport()
        var report = WorkerReport()
        /// Its own words on why it cannot go on.
        var reason: String?
        /// Whether it is killed because it hung, which has been said.
        var isCondemned = false
        /// Jobs that it has and has not answered, those that others were faster with included.
        var unanswered = 0
        /// Whether it is on the list of those who have room.
        var isHungry = false
        /// Its process runs.
        var isAlive = true
        /// How often it was started.
        var life = 0
    }

    struct State {
        var queue: WorkQueue
        var workers: [Worker]
        var server: SocketServer?
        var ranks: RankSet?
        var tick: RepeatedTask?
        var ending: Result<WorkerPool.Ending, any Error>?
        var feed: JobFeed?
        var feedWaits = false
        var lastLook = 0.0
        /// Deaths of all workers since the last result.
        var deaths = 0
        /// Ranks that have asked and have room; some of them may have been answered since.
        var hungry: Deque<Int> = []
    }

    let pool: WorkerPool
    let observer: any PoolObserver
    let token = EnvironmentKey.freshToken()
    let state: Mutex<State>
    let limits: WorkerHealth.Limits
    /// Opens when the run has come to its end.
    private let ended = Latch()
    /// Opens when no worker runs any more.
    let allGone = Latch()
    private let start = SuspendingClock.now

    /// Deaths without one result between them after which the work itself is at fault.
    private static let mostDeaths = 200

    init(_ pool: WorkerPool, _ observer: any PoolObserver) {
        self.pool = pool
        self.observer = observer
        limits = WorkerHealth.Limits(hang: pool.policy.hangSeconds)
        state = Mutex(
            State(
                queue: WorkQueue(ranks: pool.workers, policy: pool.policy.queue),
                workers: (0..<pool.workers).map { _ in Worker(health: WorkerHealth(at: 0)) }))
    }

    /// Seconds since the pool began in which the machine was awake.
    var now: Double { (SuspendingClock.now - start) / .seconds(1) }

    /// Lets workers and the reading of jobs begin.
    func start(_ ranks: RankSet, _ source: some JobSource) async throws {
        let server = SocketServer(ranks: pool.workers, token: token) { [weak self] event in
            switch event {
            case .received(let rank, let frame): self?.receive(frame, from: rank)
            // Later: a write that fails tells of it while the state is locked.
            case .left(let rank, goodbye: false): Task { await self?.brokeOff(rank) }
            case .joined, .left: break
            }
        }
        state.withLock { state in
            state.server = server
            state.ranks = ranks
        }
        try await server.listen(at: ranks.directory.socket)
        let feed = JobFeed(taker)
        state.withLock { $0.feed = feed }
        try feed.start(source)
        try await ranks.start { rank, status in
            Task { await self.ended(rank, status) }
        } onLoss: {
            self.fail(DistributedError.launch("the guardian process, which starts the workers, was killed"))
        }
        let tick = try EventLoop.shared().scheduleRepeatedTask(
            initialDelay: .milliseconds(100), delay: .milliseconds(100)
        ) {
            [weak self] _ in self?.lookAround()
        }
        state.withLock { $0.tick = tick }
    }

    /// Waits for the end and tells how the run ended.
    func ending() async throws -> WorkerPool.Ending {
        await ended.wait()
        return try state.withLock { $0.ending ?? .success(.stopped) }.get()
    }

    /// Gives workers that have nothing to do a moment to leave.
    func awaitLeavers() async {
        let isBusy = state.withLock { state in
            state.workers.contains { $0.isAlive && (!$0.isLeaving || $0.unanswered > 0) }
        }
        if !isBusy { await allGone.wait(upTo: .seconds(2)) }
    }

    /// Takes nothing any more.
    func close() {
        settle(.success(.stopped))
        let (server, tick) = state.withLock { state in
            // What it holds holds it.
            defer { (state.server, state.tick, state.ranks, state.feed) = (nil, nil, nil, nil) }
            return (state.server, state.tick)
        }
        tick?.cancel()
        server?.close()
    }

    func fail(_ error: any Error) { settle(.failure(error)) }

    func stop() { settle(.success(.stopped)) }

    func drain() {
        state.withLock { state in
            state.queue.drain()
            handOut(&state)
        }
        settleIfOver()
    }

    private func settle(_ ending: Result<WorkerPool.Ending, any Error>) {
        state.withLock { settle(ending, &$0) }
    }

    func settle(_ ending: Result<WorkerPool.Ending, any Error>, _ state: inout State) {
        guard state.ending == nil else { return }
        state.ending = ending
        ended.open()
        state.feed?.goOn()
    }

    private func settleIfOver() { state.withLock { settleIfOver(&$0) } }

    func settleIfOver(_ state: inout State) {
        guard state.queue.isOver else { return }
        settle(.success(state.queue.unfinishedCount == 0 && state.queue.isInputClosed ? .finished : .stopped), &state)
    }
}

extension Coordinator.Worker {
    /// Whether it was told that there is no more to do.
    var isLeaving: Bool { state == .gone }
}

// MARK: Jobs

extension Coordinator {
    var taker: JobFeed.Taker {
        JobFeed.Taker(
            hasRoom: { [self] in
                state.withLock { state in
                    if state.ending != nil || state.queue.isDraining { return false }
                    state.feedWaits = state.queue.room == 0
                    return state.feedWaits ? nil : true
                }
            },
            add: { [self] item in
                state.withLock { state in
                    state.queue.add(item)
                    handOutOne(&state)
                }
            },
            close: { [self] in
                state.withLock { state in
                    state.queue.closeInput()
                    handOut(&state)
                    settleIfOver(&state)
                }
            },
            fail: { [self] in fail($0) })
    }

    /// Answers whoever asks and can be answered.
    func handOut(_ state: inout State) {
        for rank in state.workers.indices where state.workers[rank].asking != nil { handOut(to: rank, &state) }
    }

    /// Answers one of those who have room: there is one job more.
    private func handOutOne(_ state: inout State) {
        for _ in 0..<state.hungry.count {
            guard let rank = state.hungry.popFirst() else { return }
            state.workers[rank].isHungry = false
            guard state.workers[rank].asking != nil else { continue }
            handOut(to: rank, &state)
            if state.workers[rank].asking == nil { return }
        }
    }

    private func handOut(to rank: Int, _ state: inout State) {
        guard state.ending == nil, let (request, capacity) = state.workers[rank].asking else { return }
        let heldNothing = state.queue.heldCount(by: rank) == 0
        switch state.queue.take(rank: rank, capacity: capacity, at: now) {
        case .wait:
            if heldNothing { change(rank, .idle, &state) }
            if !state.workers[rank].isHungry, state.queue.heldCount(by: rank) < capacity {
                state.workers[rank].isHungry = true
                state.hungry.append(rank)
            }
        case .over:
            state.workers[rank].asking = nil
            change(rank, .gone, &state)
            state.server?.send(Frame(kind: .done, request: request), to: rank)
        case .jobs(let leases):
            state.workers[rank].asking = nil
            state.workers[rank].unanswered += leases.count
            if heldNothing { state.workers[rank].health.begin(at: now) }
            change(rank, .running(state.queue.heldCount(by: rank)), &state)
            for part in JobFrames.parts(leases) {
                state.server?.send(Frame(kind: .part, request: request, payload: part), to: rank)
            }
            state.server?.send(Frame(kind: .done, request: request), to: rank)
        }
    }

    func change(_ rank: Int, _ new: WorkerState, _ state: inout State) {
        guard state.workers[rank].state != new else { return }
        state.workers[rank].state = new
        observer.note(.state(rank: rank, new))
    }

    private func receive(_ frame: Frame, from rank: Int) {
        state.withLock { state in
            guard state.ending == nil else { return }
            switch frame.kind {
            case .settings:
                let part = Frame(kind: .part, request: frame.request, payload: ByteBuffer(bytes: pool.settings))
                state.server?.send(part, to: rank)
                state.server?.send(Frame(kind: .done, request: frame.request), to: rank)
            case .take:
                state.workers[rank].asking = (frame.request, Int(frame.argument))
                handOut(to: rank, &state)
            case .submit: take(frame, from: rank, &state)
            case .progress:
                var message = frame.payload
                WorkerReport(&message).map { note($0, of: rank, &state) }
            case .abort:
                let reason = String(buffer: frame.payload)
                state.workers[rank].reason = reason
                if frame.argument == 1 {
                    settle(.failure(DistributedError(code: .threw, message: reason, rank: rank)), &state)
                }
                state.server?.send(Frame(kind: .done, request: frame.request), to: rank)
            default: break
            }
        }
    }

    /// Results are kept first and acknowledged then. One that does not count any more is acknowledged too.
    private func take(_ frame: Frame, from rank: Int, _ state: inout State) {
        var results: [WorkResult] = []
        var message = frame.payload
        let report = WorkerReport(&message)
        let isWhole = JobFrames.read(message) { lease in
            state.workers[rank].unanswered -= 1
            guard state.queue.finish(lease.item.index, attempt: lease.attempt, rank: rank, at: now) else { return }
            results.append(
                WorkResult(
                    rank: rank, index: lease.item.index, attempt: lease.attempt, payload: lease.item.payload))
        }
        guard isWhole, let report else {
            return settle(
                .failure(DistributedError.rankFailed(rank, "rank \(rank) sent a result that cannot be read")), &state)
        }
        if report.steps > 0 { note(report, of: rank, &state) }
        keep(results, &state)
        guard state.ending == nil else { return }
        state.workers[rank].health.noteResult(at: now)
        state.server?.send(Frame(kind: .done, request: frame.request), to: rank)
        if state.workers[rank].state != .gone {
            let held = state.queue.heldCount(by: rank)
            change(rank, held == 0 ? .idle : .running(held), &state)
        }
        // What others may have now they get at the next look around, unless all is over: there may be thousands of them.
        if state.queue.isOver { handOut(&state) } else { handOut(to: rank, &state) }
        settleIfOver(&state)
    }

    /// Has the observer keep results, and lets the reader go on.
    func keep(_ results: [WorkResult], _ state: inout State) {
        guard !results.isEmpty else { return }
        do {
            try observer.keep(results)
        } catch {
            return settle(.failure(error), &state)
        }
        state.deaths = 0
        if state.feedWaits, state.queue.room > 0 {
            state.feedWaits = false
            state.feed?.goOn()
        }
    }

    private func note(_ report: WorkerReport, of rank: Int, _ state: inout State) {
        state.workers[rank].health.note(
            steps: report.steps, longest: report.longestStep, isLoading: report.isLoading, at: now)
        guard report != state.workers[rank].report else { return }
        state.workers[rank].report = report
        let total = state.workers[rank].earlier + report
        state.queue.note(tokens: total.tokens, rank: rank, at: now)
        observer.note(.report(rank: rank, total))
    }

    func hasTooManyDeaths(_ state: inout State) -> Bool {
        state.deaths += 1
        return state.deaths > Self.mostDeaths
    }
}
