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
/// output goes to the coordinator's standard error, whole lines at a time.
package struct WorkerPool: Sendable {
    package let workers: Int
    package let command: [String]
    package let environment: [String: String]

    /// `command` is the worker's program and arguments; `environment` is added to this process's own.
    package init(workers: Int, command: [String], environment: [String: String] = [:]) {
        self.workers = workers
        self.command = command
        self.environment = environment
    }

    /// Starts the workers, hands out the jobs in the given order to whoever asks, and returns when every result has been
    /// delivered and no worker is left. `onResult` and `onProgress` (rank, tokens so far) are called one at a time, in the
    /// order of arrival.
    ///
    /// Throws what `onResult` throws, or one `DistributedError` (`.rankFailed`) when a worker dies or leaves with jobs
    /// in hand: it names rank, cause, jobs and the worker's last line. Results that had arrived by then are delivered first.
    nonisolated(nonsending) package func run(
        jobs: [WorkItem],
        onProgress: nonisolated(nonsending) (_ rank: Int, _ tokens: Int) async -> Void = { _, _ in },
        onResult: nonisolated(nonsending) (WorkResult) async throws -> Void
    ) async throws {
        guard workers > 0 else { throw DistributedError.invalidArgument("a pool of \(workers) workers") }
        guard !jobs.isEmpty else { return }
        for job in jobs { try Frame.check(messageOf: job.payload.count) }
        let (events, sink) = AsyncStream.makeStream(of: Coordinator.Event.self)
        let coordinator = Coordinator(jobs: jobs, workers: workers, sink: sink)
        let ranks = try RankSet(
            count: workers, command: command, input: nil, outputTo: STDERR_FILENO, errorTo: STDERR_FILENO
        ) { rank, socket in
            EnvironmentKey.environment(
                rank: rank, of: workers, token: coordinator.token, socketKey: EnvironmentKey.coordinator,
                socket: socket, adding: environment)
        }
        do {
            try await coordinator.start(ranks)
            var failure: DistributedError?
            try await withTaskCancellationHandler {
                for await event in events {
                    switch event {
                    case .result(let result): try await onResult(result)
                    case .progress(let rank, let tokens): await onProgress(rank, tokens)
                    case .failed(let error):
                        failure = failure ?? error
                        // What other workers have handed in by now is delivered first.
                        coordinator.close()
                    }
                }
                try Task.checkCancellation()
            } onCancel: {
                sink.finish()
            }
            if let failure { throw failure }
            await coordinator.allEnded.wait(upTo: .seconds(2))
        } catch {
            await end(ranks, coordinator, failed: true)
            throw error
        }
        await end(ranks, coordinator, failed: false)
    }

    private nonisolated(nonsending) func end(_ ranks: RankSet, _ coordinator: Coordinator, failed: Bool) async {
        coordinator.close()
        await ranks.end(outputWithin: .seconds(1), failed: failed)
    }
}
