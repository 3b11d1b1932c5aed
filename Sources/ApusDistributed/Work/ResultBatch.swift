import Synchronization

/// Hands in results together that come within five milliseconds of each other, while many others are on their way: a message
/// for each would wake two processes, whose cores have better to do.
final class ResultBatch<End: WorkerEnd>: Sendable {
    private struct State {
        var waiting: [(lease: WorkLease, payload: [UInt8])] = []
        /// Jobs whose results have not come.
        var running = 0
        var isScheduled = false
        /// Messages that are on their way.
        var sending = 0
        var idle: CheckedContinuation<Void, Never>?
    }

    private let end: End
    private let report: @Sendable () -> WorkerReport
    private let onFailure: @Sendable (any Error) -> Void
    private let state = Mutex(State())

    private static var patience: Duration { .milliseconds(5) }
    /// Jobs on their way beside which a result waits.
    private static var many: Int { 8 }

    init(
        _ end: End, report: @escaping @Sendable () -> WorkerReport, onFailure: @escaping @Sendable (any Error) -> Void
    ) {
        self.end = end
        self.report = report
        self.onFailure = onFailure
    }

    /// So many jobs were begun.
    func begin(_ count: Int) { state.withLock { $0.running += count } }

    /// Takes a result. One that few others are on their way beside is handed in before this returns, and what goes wrong then
    /// is thrown; else it is told later.
    func add(_ lease: WorkLease, payload: [UInt8]) async throws {
        let (goesAtOnce, isFirst) = state.withLock { state in
            state.waiting.append((lease, payload))
            state.running -= 1
            let isFirst = !state.isScheduled
            state.isScheduled = true
            return (state.running < Self.many, isFirst)
        }
        if goesAtOnce { return try await send() }
        guard isFirst else { return }
        Task {
            try? await Task.sleep(for: Self.patience)
            do {
                try await self.send()
            } catch {
                self.onFailure(error)
            }
        }
    }

    private func send() async throws {
        let results = state.withLock { state in
            state.isScheduled = false
            state.sending += 1
            defer { state.waiting = [] }
            return state.waiting
        }
        defer { finish() }
        guard !results.isEmpty else { return }
        try await end.submit(results, report: report())
    }

    private func finish() {
        let idle = state.withLock { state in
            state.sending -= 1
            guard state.sending == 0, !state.isScheduled else { return nil as CheckedContinuation<Void, Never>? }
            defer { state.idle = nil }
            return state.idle
        }
        idle?.resume()
    }

    /// Returns when everything has been handed in.
    func settled() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.sending == 0, !state.isScheduled { return true }
                state.idle = continuation
                return false
            }
            if isIdle { continuation.resume() }
        }
    }
}
