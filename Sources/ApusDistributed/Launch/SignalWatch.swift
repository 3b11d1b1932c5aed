import CApusProcess
import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Tells of the signals that end a job, in place of what they would do to this process, as long as it exists.
package final class SignalWatch {
    private let sources: [any DispatchSourceSignal]

    /// Signals that this process was started to ignore stay ignored.
    package init(_ signals: [Int32] = Signal.passedOn, onSignal: @escaping @Sendable (Int32) -> Void) {
        // A reader of the output who goes away is seen by `write`.
        signal(SIGPIPE, SIG_IGN)
        sources = signals.filter { apus_signal_is_ignored($0) == 0 }.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { onSignal(number) }
            source.activate()
            return source
        }
    }

    deinit {
        for source in sources { source.cancel() }
    }
}
