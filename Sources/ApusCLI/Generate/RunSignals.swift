import ApusDistributed
import ApusRuns

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Ends a run as its signals ask: SIGTERM and SIGHUP at once, SIGINT once what is in flight is finished, and twice at once.
final class RunSignals {
    private let watch: SignalWatch

    /// From the first signal that ends at once to the end, whatever still waits for a disk.
    private static let patience: useconds_t = 900_000

    /// When the reports are written if the run has not ended by itself: before the patience is over.
    private static let reportPatience: useconds_t = 600_000

    /// - Parameter lastWords: called with the exit status, where the end comes before that of the run.
    init(_ run: GenerationRun, lastWords: @escaping @Sendable (Int32) -> Void) {
        Signal.ignoreFileLimit()
        let isDraining = SignalFlag()
        watch = SignalWatch([SIGINT, SIGTERM, SIGHUP]) { number in
            guard run.hasBegun else {
                StandardError.write("Error: ended early; no prompt was begun")
                lastWords(EX_TEMPFAIL)
                _exit(EX_TEMPFAIL)
            }
            if number == SIGINT, !isDraining.raise() {
                StandardError.write("finishing the prompts in flight; once more ends at once")
                return run.drain()
            }
            try? BackgroundThread.start {
                usleep(Self.patience)
                _exit(EX_TEMPFAIL)
            }
            // On a thread of its own: a disk that does not answer must not hold the end up.
            try? BackgroundThread.start {
                usleep(Self.reportPatience)
                lastWords(EX_TEMPFAIL)
            }
            run.stop()
        }
    }
}
