extension Accelerator {
    /// A queue of the items, from which each process takes one whenever it is ready for another.
    ///
    /// The items are handed out in their order. Every process makes the same queues of the same items in the same order:
    /// the first queue of each is one queue, so is the second. Nothing is sent or waited for.
    public func queue<Items: RandomAccessCollection>(_ items: Items) -> SharedQueue<Items.Element> {
        queue(items, by: { _ in 0 })
    }

    /// A queue of texts, from which each process takes one whenever it is ready for another: the longest first, so that
    /// nobody begins a long one when the others are done. Lengths are of UTF-8; equally long texts keep their order.
    public func queue<Items: RandomAccessCollection>(
        _ items: Items
    ) -> SharedQueue<Items.Element> where Items.Element: StringProtocol {
        queue(items, by: { $0.utf8.count })
    }

    /// A queue of the items, from which each process takes one whenever it is ready for another: the heaviest first,
    /// equally heavy ones in their order. An item has the same weight on every process. Throws what `weight` throws.
    public func queue<Items: RandomAccessCollection>(
        _ items: Items, by weight: (Items.Element) throws -> Int
    ) rethrows -> SharedQueue<Items.Element> {
        let order = QueueOrder.heaviestFirst(try items.map(weight))
        return SharedQueue(Array(items), cursor: QueueCursor(membership: membership, order: order))
    }

    /// Everyone's results, one for each item of the queue, in the order in which the items were given, on every process.
    ///
    /// Each process brings a result for each item that it has taken, in the order in which it took them (`queue.taken`);
    /// that may be none. Throws `DistributedError` (`.mismatch`) if a process has not as many results as it took items, on
    /// that process, and the others learn which it is; and on every process if items were taken by nobody, or if processes
    /// gather of different queues or have queued different items.
    nonisolated(nonsending) public func gatherObject<Object: Codable & Sendable, Element>(
        _ results: [Object], of queue: SharedQueue<Element>
    ) async throws -> [Object] {
        // A name of its own, so that a process that gathers anything else does not meet it.
        let name = "gatherObject of a queue"
        let taken = queue.taken
        let own = QueueMessage(
            queue: queue.cursor.number, count: queue.itemCount, taken: taken,
            results: try await run(name) {
                guard results.count == taken.count else {
                    throw DistributedError.mismatch(
                        "there are \(results.count) results for \(taken.count) items taken from the queue")
                }
                return results
            })
        let messages = try await collective(name) {
            try await communicator.allGather(try await encode(own, name), name: name)
        }
        return try QueueMessage.merge(
            messages.enumerated().map { rank, message in
                let message = try decode(
                    QueueMessage<Object>.self, from: message, of: rank, name, as: "\([Object].self)")
                guard message.isSound else {
                    throw DistributedError.mismatch("\(name): rank \(rank) sent what no queue can be", rank: rank)
                }
                return message
            }, in: name)
    }
}
