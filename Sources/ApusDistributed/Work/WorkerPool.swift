#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Processes of one program that pull jobs from this one, the coordinator.
///
/// A worker is in its own process group and dies with the coordinator, however that dies. What workers write to either
/// output goes to the coordinator's standard error, whole lines at a time. One that dies or hangs is named in a line and
/// started again, and its jobs go to others: those of a worker that died in company run again in halves, apart from all
/// others, and one whose worker died twice while it ran alone gets a result that says so.
package struct WorkerPool: Sendable {
    package struct Policy: Sendable {
        /// Whether workers that died are started again. If not, the first death ends the run.
        package var restarts: Bool
        package var queue: WorkQueue.Policy
        /// Least seconds without a finished step after which a worker counts as hanging.
        package var hangSeconds: Double

        package init(restarts: Bool = true, queue: WorkQueue.Policy = WorkQueue.Policy(), hangSeconds: Double = 30) {
            self.restarts = restarts
            self.queue = queue
            self.hangSeconds = hangSeconds
        }

        /// Every worker does its part, or the whole is worth nothing.
        package static let measuring = Policy(
            restarts: false, queue: WorkQueue.Policy(speculates: false), hangSeconds: .infinity)
    }

    package enum Ending: Sendable {
        /// Every job has its result.
        case finished
        /// By `PoolControl`.
        case stopped
    }

    package let workers: Int
    package let command: [String]
    package let environment: [String: String]
    /// What workers may ask for at their start.
    package let settings: [UInt8]
    package let policy: Policy

    /// `command` is the worker's program and arguments; `environment` is added to this process's own.
    package init(
        workers: Int, command: [String], environment: [String: String] = [:], settings: [UInt8] = [],
        policy: Policy = Policy()
    ) {
        self.workers = workers
        self.command = command
        self.environment = environment
        self.settings = settings
        self.policy = policy
    }

    /// Starts the workers, hands out the jobs as they are read, and returns when every result is kept, or the control says
    /// so, and no worker is left. `log` gets whole lines of each rank, beside standard error.
    ///
    /// Throws what the source or the observer throws, and `DistributedError` (`.rankFailed`) when no worker is left, or one
    /// says that none can do the work. Results that had arrived by then were kept.
    nonisolated(nonsending) package func run(
        _ source: some JobSource, observer: any PoolObserver, control: PoolControl = PoolControl(),
        log: OutputRelay.Log? = nil
    ) async throws -> Ending {
        guard workers > 0 else { throw DistributedError.invalidArgument("a pool of \(workers) workers") }
        let coordinator = Coordinator(self, observer)
        let ranks = try RankSet(
            count: workers, command: command, input: nil, outputTo: STDERR_FILENO, errorTo: STDERR_FILENO,
            restarts: policy.restarts, log: log
        ) { rank, socket in
            EnvironmentKey.environment(
                rank: rank, of: workers, token: coordinator.token, socketKey: EnvironmentKey.coordinator,
                socket: socket, adding: environment)
        }
        defer { control.forget() }
        do {
            control.listen { $0 == .stop ? coordinator.stop() : coordinator.drain() }
            try await coordinator.start(ranks, source)
            let ending = try await withTaskCancellationHandler {
                try await coordinator.ending()
            } onCancel: {
                coordinator.fail(CancellationError())
            }
            await coordinator.awaitLeavers()
            await end(ranks, coordinator, failed: false)
            return ending
        } catch {
            await end(ranks, coordinator, failed: true)
            throw error
        }
    }

    private nonisolated(nonsending) func end(_ ranks: RankSet, _ coordinator: Coordinator, failed: Bool) async {
        coordinator.close()
        await ranks.end(outputWithin: .seconds(1), failed: failed)
    }
}
