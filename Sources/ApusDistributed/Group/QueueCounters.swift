/// How far each queue of a group has been handed out: positions only, what stands there the ranks know themselves.
struct QueueCounters: Sendable {
    private struct Queue: Sendable {
        let count: Int
        /// Who has asked first, and by whose count the others are measured.
        let rank: Int
        var handedOut = 0
    }

    private var queues: [Int: Queue] = [:]

    /// The next position of the queue, from now on the rank's; `nil` when all are handed out.
    /// Throws `DistributedError` (`.mismatch`) naming both ranks if the first to ask had another number of items.
    mutating func next(of number: Int, count: Int, rank: Int) throws(DistributedError) -> Int? {
        var queue = queues[number] ?? Queue(count: count, rank: rank)
        guard queue.count == count else {
            throw .mismatch(
                "the ranks disagree: queue \(number) has \(queue.count) items on rank \(queue.rank), \(count) on rank "
                    + "\(rank)")
        }
        defer { queues[number] = queue }
        guard queue.handedOut < count else { return nil }
        queue.handedOut += 1
        return queue.handedOut - 1
    }
}
