import ApusDistributed
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Tells the coordinator ten times a second how far a worker is, from a thread of its own: also while a model loads, which
/// may take minutes.
final class WorkerPulse: Sendable {
    private let state = Mutex<(report: (@Sendable () -> WorkerReport)?, isOver: Bool)>((nil, false))

    private static let microseconds: UInt32 = 100_000

    /// Throws `DistributedError` if there is no thread.
    init(_ end: some WorkerEnd) throws {
        let state = Weak(self)
        try BackgroundThread.start {
            while let report = state.value?.report {
                try? end.report(report)
                usleep(Self.microseconds)
            }
        }
    }

    private struct Weak: Sendable {
        weak let value: WorkerPulse?

        init(_ value: WorkerPulse) { self.value = value }
    }

    /// `nil` when there is no more to tell.
    private var report: WorkerReport? {
        let (report, isOver) = state.withLock { $0 }
        if isOver { return nil }
        if let report { return report() }
        var loading = WorkerReport()
        loading.isLoading = true
        return loading
    }

    /// From now on that is told.
    func tell(_ report: @escaping @Sendable () -> WorkerReport) { state.withLock { $0.report = report } }

    func end() { state.withLock { $0.isOver = true } }
}
