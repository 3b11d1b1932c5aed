import Synchronization

/// One process's way through a queue: asks for positions, and notes what it got.
final class QueueCursor: Sendable {
    let number: Int
    /// Which item stands at each position.
    let order: [Int]
    /// Held, so that the group lasts as long as somebody goes through the queue.
    private let membership: Membership
    private let record = Mutex<[Int]>([])

    init(membership: Membership, order: [Int]) {
        self.membership = membership
        self.order = order
        number = membership.queueNumbers.next()
    }

    /// The items that this process has taken, in the order in which it did.
    var taken: [Int] { record.withLock { $0 } }

    /// Takes an item; `nil` when all are taken.
    /// Throws `DistributedError` if the group is broken, `CancellationError` if the task was cancelled before.
    func take() async throws -> Int? {
        try Task.checkCancellation()
        // Not cancelled with the caller: the answer comes at once, and an item that was handed out must not be lost.
        let asking = Task { [membership, number, count = order.count] in
            try await membership.communicator.next(of: number, count: count)
        }
        guard let position = try await asking.value else { return nil }
        guard order.indices.contains(position) else {
            throw DistributedError.connection("the launcher handed out position \(position) of \(order.count)")
        }
        record.withLock { $0.append(order[position]) }
        return order[position]
    }
}
