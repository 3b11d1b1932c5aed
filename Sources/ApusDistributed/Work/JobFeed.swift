import Dispatch

/// Reads jobs for a queue as long as that has room for them, on a thread that nothing else needs: reading may block for as
/// long as a person types.
final class JobFeed: Sendable {
    /// Who takes the jobs. Called from the feed's thread.
    struct Taker: Sendable {
        /// Whether a job may be added now: `nil` for later, when the feed will be told to `goOn`; false for never.
        let hasRoom: @Sendable () -> Bool?
        let add: @Sendable (WorkItem) -> Void
        let close: @Sendable () -> Void
        let fail: @Sendable (any Error) -> Void
    }

    private let taker: Taker
    private let signal = DispatchSemaphore(value: 0)

    init(_ taker: Taker) { self.taker = taker }

    /// Throws `DistributedError` (`.launch`) if there is no thread.
    func start(_ source: some JobSource) throws(DistributedError) { try BackgroundThread.start { self.read(source) } }

    /// There is room again, or never will be.
    func goOn() { signal.signal() }

    private func read(_ source: some JobSource) {
        do {
            while waitForRoom() {
                guard let item = try source.next() else { break }
                try Frame.check(messageOf: item.payload.count)
                taker.add(item)
            }
        } catch {
            return taker.fail(error)
        }
        taker.close()
    }

    private func waitForRoom() -> Bool {
        while true {
            if let answer = taker.hasRoom() { return answer }
            signal.wait()
        }
    }
}
