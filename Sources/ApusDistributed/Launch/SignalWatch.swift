import CApusProcess
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Tells of the signals that end a job, in place of what they would do to this process, as long as it exists.
///
/// Not by a source of Dispatch: between the disposition that it needs and its registration, signals are lost, and its event loop
/// on Linux has been seen to read what is freed (`_dispatch_event_loop_drain`, Swift 6.3) where sources come and go.
package final class SignalWatch {
    private let numbers: [Int32]
    private let key: Int

    /// Signals that this process was started to ignore stay ignored. Where the system has no thread or no pipe, signals do
    /// what they do to any program.
    package init(_ signals: [Int32] = Signal.passedOn, onSignal: @escaping @Sendable (Int32) -> Void) {
        // A reader of the output who goes away is seen by `write`.
        signal(SIGPIPE, SIG_IGN)
        (key, numbers) = NoticedSignals.shared?.add(signals, onSignal) ?? (0, [])
    }

    deinit { NoticedSignals.shared?.remove(key, numbers) }
}

/// The signals of the process, told to whoever watches them on a thread of their own.
private final class NoticedSignals: Sendable {
    static let shared = try? NoticedSignals()

    private struct Watches {
        var handlers: [Int: (numbers: [Int32], onSignal: @Sendable (Int32) -> Void)] = [:]
        var counts: [Int32: Int] = [:]
        var nextKey = 1
    }

    private let watches = Mutex(Watches())

    private init() throws(DistributedError) {
        var descriptor: Int32 = -1
        let error = apus_open_signals(&descriptor)
        guard error == 0 else { throw .launch("no pipe could be opened: \(Platform.describe(error))") }
        let reading = descriptor
        try BackgroundThread.start { [self] in
            var byte: UInt8 = 0
            while true {
                let count = read(reading, &byte, 1)
                if count == 1 { tell(Int32(byte)) } else if count == 0 || errno != EINTR { return }
            }
        }
    }

    private func tell(_ number: Int32) {
        let handlers = watches.withLock { $0.handlers.values.filter { $0.numbers.contains(number) } }
        for handler in handlers { handler.onSignal(number) }
    }

    /// Returns those of them that are noticed.
    func add(_ signals: [Int32], _ onSignal: @escaping @Sendable (Int32) -> Void) -> (key: Int, numbers: [Int32]) {
        watches.withLock { watches in
            let key = watches.nextKey
            watches.nextKey += 1
            let numbers = signals.filter { watches.counts[$0] != nil || apus_signal_is_ignored($0) == 0 }
            // The handler first: a signal may come with the next line.
            watches.handlers[key] = (numbers, onSignal)
            for number in numbers {
                if watches.counts[number] == nil { _ = apus_notice_signal(number) }
                watches.counts[number, default: 0] += 1
            }
            return (key, numbers)
        }
    }

    func remove(_ key: Int, _ numbers: [Int32]) {
        watches.withLock { watches in
            watches.handlers[key] = nil
            for number in numbers {
                watches.counts[number, default: 1] -= 1
                if watches.counts[number] == 0 {
                    watches.counts[number] = nil
                    apus_forget_signal(number)
                }
            }
        }
    }
}
