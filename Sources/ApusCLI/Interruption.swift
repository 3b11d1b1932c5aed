import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A request to end, noted instead of obeyed at once, so that what is half done can be taken away first.
enum Interruption {
    private static let received = Atomic<Int32>(0)
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    private static let note: @convention(c) (Int32) -> Void = { Interruption.received.store($0, ordering: .relaxed) }

    /// Thrown where work ends because of a signal.
    struct Stop: Error {}

    /// Notes signals while a body runs, then ends the process by one that came, as it would have ended it.
    static func noted<Result>(during body: () async throws -> Result) async throws -> Result {
        let previous = signals.map { number in
            let handler = signal(number, note)
            // Whoever started the process may want it to go on.
            if isIgnoring(handler) { signal(number, handler) }
            return handler
        }
        defer {
            for (number, handler) in zip(signals, previous) { signal(number, handler) }
            let number = received.load(ordering: .relaxed)
            if number != 0 {
                // Threads of a pool have signals blocked: it is the main thread that takes it.
                kill(getpid(), number)
                sleep(1)
            }
        }
        return try await body()
    }

    private static func isIgnoring(_ handler: (@convention(c) (Int32) -> Void)?) -> Bool {
        unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    static func check() throws {
        if received.load(ordering: .relaxed) != 0 { throw Stop() }
    }
}
