package import ApusDistributed
import ApusRuns
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A real run of what is simulated: workers that are processes, a coordinator, sockets; only the steps are slept through.
package struct TestRun: Sendable {
    private let plan: SimulationPlan
    private let load: SimulatedLoad

    package init(_ plan: SimulationPlan, _ load: SimulatedLoad) {
        self.plan = plan
        self.load = load
    }

    /// - Parameter command: starts a `TestWorker`.
    /// - Throws: `DistributedError`.
    nonisolated(nonsending) package func run(_ command: [String]) async throws -> SimulationResult {
        let ideal = plan.idealSeconds(load)
        let start = MonotonicClock.seconds
        let deaths = plan.deaths(within: ideal).mapValues { $0 + start }
        let settings = TestWorker.Settings(plan: plan, slownesses: plan.slownesses, deaths: deaths)
        let pool = WorkerPool(
            workers: plan.workers, command: command, settings: Array(try JSONEncoder().encode(settings)),
            policy: WorkerPool.Policy(queue: .run(workers: plan.workers, batchSize: plan.batchSize)))
        let watch = Watch()
        // Of this process, which is the coordinator.
        let before = ProcessorClock.seconds
        _ = try await pool.run(Source(load), observer: watch)
        let used = ProcessorClock.seconds - before
        let times = watch.times.withLock { times in
            for rank in times.idle.keys { times.endIdling(rank, at: .infinity) }
            return times
        }
        let last = times.lastResult ?? start
        let first = times.firstJob ?? start
        return SimulationResult(
            seconds: last - first, idealSeconds: ideal, tailSeconds: max(last - (times.firstIdle ?? last), 0),
            coordinatorSeconds: used, results: load.count)
    }

    private final class Source: JobSource {
        private let load: SimulatedLoad
        private let position = Mutex(0)

        init(_ load: SimulatedLoad) { self.load = load }

        func next() -> WorkItem? {
            position.withLock { index in
                guard index < load.count else { return nil }
                defer { index += 1 }
                let prompt = load[index]
                return WorkItem(index: index, payload: prompt.bytes, weight: prompt.own)
            }
        }
    }

    /// When things happened, by the machine's clock.
    private final class Watch: PoolObserver {
        struct Times {
            var firstJob: Double?
            var lastResult: Double?
            /// When the first worker had nothing to do, longer than it takes to be given more.
            var firstIdle: Double?
            /// Workers that have run and hold nothing, and since when.
            var idle: [Int: Double] = [:]
            var haveRun: Set<Int> = []

            mutating func endIdling(_ rank: Int, at now: Double) {
                guard let since = idle.removeValue(forKey: rank), now - since > Watch.moment else { return }
                firstIdle = min(firstIdle ?? since, since)
            }
        }

        static let moment = 0.02

        let times = Mutex(Times())

        func keep(_ results: [WorkResult]) { times.withLock { $0.lastResult = MonotonicClock.seconds } }

        func note(_ event: PoolEvent) {
            guard case .state(let rank, let state) = event else { return }
            times.withLock { times in
                let now = MonotonicClock.seconds
                switch state {
                case .running:
                    times.firstJob = times.firstJob ?? now
                    times.haveRun.insert(rank)
                    times.endIdling(rank, at: now)
                case .idle, .gone:
                    if times.haveRun.contains(rank), times.idle[rank] == nil { times.idle[rank] = now }
                case .loading, .restarting: times.idle[rank] = nil
                }
            }
        }
    }
}
