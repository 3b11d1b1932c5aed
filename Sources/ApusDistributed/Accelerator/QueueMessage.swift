/// What one rank says of a queue when results are gathered: which queue, which items it took, and what came of each.
struct QueueMessage<Result: Codable & Sendable>: Codable, Sendable {
    let queue: Int
    let count: Int
    let taken: [Int]
    let results: [Result]
}

extension QueueMessage {
    /// The results of all ranks in the order of the items.
    ///
    /// Throws `DistributedError` (`.mismatch`) if the ranks speak of different queues, or if an item was not taken by
    /// exactly one.
    static func merge(_ messages: [QueueMessage], in name: String) throws(DistributedError) -> [Result] {
        guard let first = messages.first else { return [] }
        for (rank, message) in messages.enumerated() {
            if message.queue != first.queue {
                throw .mismatch(
                    "\(name): the ranks disagree: rank 0 gathers of queue \(first.queue), rank \(rank) of queue "
                        + "\(message.queue)")
            }
            if message.count != first.count {
                throw .mismatch(
                    "\(name): the ranks disagree: queue \(first.queue) has \(first.count) items on rank 0, "
                        + "\(message.count) on rank \(rank)")
            }
        }
        var merged: [(rank: Int, result: Result)?] = Array(repeating: nil, count: first.count)
        for (rank, message) in messages.enumerated() {
            for (index, result) in zip(message.taken, message.results) {
                // Positions are handed out once: such ranks have ordered different items.
                if let other = merged[index] {
                    throw .mismatch(
                        "\(name): the ranks disagree on the items or their weights: ranks \(other.rank) and \(rank) have "
                            + "both taken item \(index)")
                }
                merged[index] = (rank, result)
            }
        }
        let results = merged.compactMap { $0?.result }
        guard results.count == first.count else {
            throw .mismatch("\(name): \(absent(merged.indices.filter { merged[$0] == nil }, of: first.count))")
        }
        return results
    }

    /// Whether it can be relied on, whoever sent it.
    var isSound: Bool { count >= 0 && taken.count == results.count && taken.allSatisfy { (0..<count).contains($0) } }

    private static func absent(_ indices: [Int], of count: Int) -> String {
        let shown = indices.prefix(10).map(String.init).joined(separator: ", ") + (indices.count > 10 ? " ..." : "")
        return
            "nobody has taken \(indices.count == 1 ? "item" : "items") \(shown) of the queue's \(count): no process went "
            + "on to its end"
    }
}
