import Synchronization

/// What a pool tells while it runs, beside results.
package enum PoolEvent: Sendable {
    /// What a worker does now.
    case state(rank: Int, WorkerState)
    /// What a worker tells of itself, over all of its lives.
    case report(rank: Int, WorkerReport)
    /// A worker died, hangs, or will not be started again: one line that names it.
    case incident(Incident)

    package struct Incident: Sendable, Hashable {
        package enum Kind: String, Sendable {
            case death, hang, retirement
        }

        package let kind: Kind
        package let rank: Int
        package let message: String
    }
}

package enum WorkerState: Sendable, Hashable {
    /// Was started and has not asked for a job.
    case loading
    /// Holds so many jobs.
    case running(Int)
    /// Has asked and got none yet.
    case idle
    /// Died, and will be started again.
    case restarting
    /// Will not be started again.
    case gone
}

/// Who is told what comes of a pool. Called one at a time, on threads that must not be held for long.
package protocol PoolObserver: Sendable {
    /// Keeps results, each job's once. They are acknowledged to the worker when this returns; what it throws ends the run.
    func keep(_ results: [WorkResult]) throws
    /// The result of a job whose workers died each time it ran alone; `reason` names how.
    func result(ofCondemned item: WorkItem, reason: String) -> [UInt8]
    func note(_ event: PoolEvent)
}

extension PoolObserver {
    package func result(ofCondemned item: WorkItem, reason: String) -> [UInt8] { Array(reason.utf8) }
    package func note(_ event: PoolEvent) {}
}

/// Where a pool's jobs come from, in the order of their indices.
package protocol JobSource: Sendable {
    /// The next job, `nil` at the end. May block; called from one thread.
    func next() throws -> WorkItem?
}

/// Jobs that are known from the start.
package final class JobList: JobSource {
    private let rest: Mutex<ArraySlice<WorkItem>>

    package init(_ jobs: [WorkItem]) { rest = Mutex(jobs[...]) }

    package func next() -> WorkItem? { rest.withLock { $0.popFirst() } }
}
