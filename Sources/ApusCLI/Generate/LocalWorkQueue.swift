import ApusDistributed
import DequeModule
import Synchronization

/// The queue of a run that has one process.
final class LocalWorkQueue: WorkSource {
    enum Event: Sendable {
        case result(WorkResult)
        case progress(tokens: Int)
    }

    private let waiting: Mutex<Deque<WorkItem>>
    private let events: AsyncStream<Event>.Continuation

    private init(_ jobs: [WorkItem], _ events: AsyncStream<Event>.Continuation) {
        waiting = Mutex(Deque(jobs))
        self.events = events
    }

    static func make(_ jobs: [WorkItem]) -> (AsyncStream<Event>, LocalWorkQueue) {
        let (stream, continuation) = AsyncStream<Event>.makeStream()
        return (stream, LocalWorkQueue(jobs, continuation))
    }

    func next(upTo count: Int) -> [WorkItem] {
        waiting.withLock { waiting in
            let items = Array(waiting.prefix(count))
            waiting.removeFirst(items.count)
            return items
        }
    }

    func submit(_ index: Int, payload: [UInt8]) {
        events.yield(.result(WorkResult(rank: 0, index: index, payload: payload)))
    }

    func report(tokens: Int) { events.yield(.progress(tokens: tokens)) }

    func close() { events.finish() }
}
