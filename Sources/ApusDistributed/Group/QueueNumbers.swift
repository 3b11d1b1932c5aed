import Synchronization

/// Numbers the queues of a process in the order of their creation: queues of one number are one queue.
final class QueueNumbers: Sendable {
    private let last = Mutex(0)

    /// 1, 2, 3 ...
    func next() -> Int {
        last.withLock { last in
            last += 1
            return last
        }
    }
}
