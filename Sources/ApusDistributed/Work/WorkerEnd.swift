import Synchronization

/// A worker's way to its jobs, wherever the coordinator is.
package protocol WorkerEnd: Sendable {
    var rank: Int { get }
    /// Jobs for a worker that has room for `capacity` at once, those that it holds included; none when there will be no
    /// more. Waits until there are some.
    func next(capacity: Int) async throws -> [WorkLease]
    /// Hands in results, and how far this worker is; returns when they are kept.
    func submit(_ results: [(lease: WorkLease, payload: [UInt8])], report: WorkerReport) async throws
    func report(_ report: WorkerReport) throws
}

extension WorkerEnd {
    /// Does jobs, as many at once as the capacity says, until there are no more. Throws what the first that fails throws, as
    /// soon as it does.
    ///
    /// - Parameters:
    ///   - report: how far this worker is, told with results.
    ///   - body: gives the result of a job.
    package func serve(
        capacity: Int, report: @escaping @Sendable () -> WorkerReport = { WorkerReport() },
        _ body: @escaping @Sendable (WorkLease) async throws -> [UInt8]
    ) async throws {
        let failure = FirstFailure()
        let results = ResultBatch(self, report: report) { failure.note($0) }
        do {
            try await withThrowingDiscardingTaskGroup { group in
                while true {
                    let leases = try await failure.ending { try await self.next(capacity: capacity) }
                    if leases.isEmpty { break }
                    results.begin(leases.count)
                    for lease in leases {
                        group.addTask {
                            do {
                                try await results.add(lease, payload: try await body(lease))
                            } catch {
                                failure.note(error)
                                throw error
                            }
                        }
                    }
                }
            }
        } catch {
            throw failure.error ?? error
        }
        await results.settled()
        if let error = failure.error { throw error }
    }
}

/// The first error of several tasks; what else ends then, ends because of it. A group of tasks that fails does not cancel
/// whoever adds to it.
private final class FirstFailure: Sendable {
    private struct State {
        var error: (any Error)?
        var waiting: Task<[WorkLease], any Error>?
    }

    private let state = Mutex(State())

    var error: (any Error)? { state.withLock { $0.error } }

    func note(_ error: any Error) {
        let waiting = state.withLock { state in
            state.error = state.error ?? error
            return state.waiting
        }
        waiting?.cancel()
    }

    /// Waits for the body, which is cancelled by the first error.
    func ending(_ body: @escaping @Sendable () async throws -> [WorkLease]) async throws -> [WorkLease] {
        let task = Task { try await body() }
        let hasFailed = state.withLock { state in
            state.waiting = task
            return state.error != nil
        }
        if hasFailed { task.cancel() }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
