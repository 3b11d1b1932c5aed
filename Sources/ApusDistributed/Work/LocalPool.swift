import Synchronization

extension WorkerChannel: WorkerEnd {}

/// A pool whose one worker runs in this process. There is nobody to start it again: where it fails, the run ends.
package final class LocalPool: WorkerEnd {
    private struct State {
        var queue: WorkQueue
        var asking: (continuation: CheckedContinuation<[WorkLease], any Error>, capacity: Int)?
        var failure: (any Error)?
        var isStopped = false
        var feed: JobFeed?
        var feedWaits = false
    }

    package let rank = 0
    private let state: Mutex<State>
    private let observer: any PoolObserver
    private let start = ContinuousClock.now

    package init(policy: WorkQueue.Policy, observer: some PoolObserver) {
        self.observer = observer
        state = Mutex(State(queue: WorkQueue(ranks: 1, policy: policy)))
    }

    private var now: Double { (ContinuousClock.now - start) / .seconds(1) }

    /// Runs the worker on the source's jobs. Throws what the worker, the source or the observer throws.
    nonisolated(nonsending) package func run(
        _ source: some JobSource, worker: nonisolated(nonsending) (LocalPool) async throws -> Void
    ) async throws {
        let feed = JobFeed(
            JobFeed.Taker(
                hasRoom: { [self] in hasRoom() }, add: { [self] in add($0) }, close: { [self] in closeInput() },
                fail: { [self] in fail($0) }))
        state.withLock { $0.feed = feed }
        try feed.start(source)
        defer {
            state.withLock { $0.isStopped = true }
            feed.goOn()
        }
        try await worker(self)
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    package func next(capacity: Int) async throws -> [WorkLease] {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { state in
                    if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
                    state.asking = (continuation, capacity)
                    answer(&state)
                }
            }
        } onCancel: {
            fail(CancellationError())
        }
    }

    package func submit(_ results: [(lease: WorkLease, payload: [UInt8])], report: WorkerReport) async throws {
        observer.note(.report(rank: rank, report))
        try state.withLock { state in
            let kept = results.filter { result in
                state.queue.finish(result.lease.item.index, attempt: result.lease.attempt, rank: rank, at: now)
            }
            try observer.keep(
                kept.map {
                    WorkResult(rank: rank, index: $0.lease.item.index, attempt: $0.lease.attempt, payload: $0.payload)
                })
            observer.note(.state(rank: rank, .running(state.queue.heldCount(by: rank))))
            if state.feedWaits, state.queue.room > 0 {
                state.feedWaits = false
                state.feed?.goOn()
            }
            answer(&state)
        }
    }

    package func report(_ report: WorkerReport) { observer.note(.report(rank: rank, report)) }

    private func hasRoom() -> Bool? {
        state.withLock { state in
            if state.isStopped || state.failure != nil { return false }
            state.feedWaits = state.queue.room == 0
            return state.feedWaits ? nil : true
        }
    }

    private func add(_ item: WorkItem) {
        state.withLock { state in
            state.queue.add(item)
            answer(&state)
        }
    }

    private func closeInput() {
        state.withLock { state in
            state.queue.closeInput()
            answer(&state)
        }
    }

    private func fail(_ error: any Error) {
        state.withLock { state in
            if state.failure == nil { state.failure = error }
            answer(&state)
        }
    }

    private func answer(_ state: inout State) {
        guard let (continuation, capacity) = state.asking else { return }
        if let failure = state.failure {
            state.asking = nil
            return continuation.resume(throwing: failure)
        }
        switch state.queue.take(rank: rank, capacity: capacity, at: now) {
        case .wait: return
        case .over:
            state.asking = nil
            continuation.resume(returning: [])
        case .jobs(let leases):
            state.asking = nil
            observer.note(.state(rank: rank, .running(state.queue.heldCount(by: rank))))
            continuation.resume(returning: leases)
        }
    }
}
