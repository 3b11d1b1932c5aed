/// One rank's way to the others: messages of bytes, and collectives that all ranks enter in the same order.
///
/// Every wait lasts as long as the others legitimately take, and ends at once with a `DistributedError` that names the
/// rank when one dies, leaves, fails, or calls something else. After such an error the group is broken for good: every
/// later call throws the same error.
package protocol Communicator: Sendable {
    var rank: Int { get }
    var worldSize: Int { get }
    var localRank: Int { get }
    var localWorldSize: Int { get }

    /// The messages that the pattern gives this rank, in rank order.
    func perform(_ collective: Collective, message: [UInt8]) async throws -> [[UInt8]]

    /// Returns when the message is on its way; the receiver need not have asked for it.
    func send(_ message: [UInt8], to rank: Int) async throws

    /// The next message that `rank` sent to this one.
    func receive(from rank: Int) async throws -> [UInt8]

    /// This rank cannot go on, in the call of that name: breaks the group, so that nobody waits for it.
    func abort(in name: String, _ reason: String) async

    /// This rank takes no further part.
    func leave()
}

extension Communicator {
    package func barrier(_ name: String = "barrier") async throws {
        _ = try await perform(Collective(.barrier, name: name), message: [])
    }

    package func broadcast(_ message: [UInt8], from root: Int, name: String = "broadcast") async throws -> [UInt8] {
        try check(root)
        let mine = rank == root ? message : []
        return try await perform(Collective(.broadcast, root: root, name: name), message: mine).first ?? []
    }

    package func allGather(_ message: [UInt8], name: String = "allGather") async throws -> [[UInt8]] {
        try await perform(Collective(.allGather, name: name), message: message)
    }

    /// Empty everywhere but on the root.
    package func gather(_ message: [UInt8], to root: Int, name: String = "gather") async throws -> [[UInt8]] {
        try check(root)
        return try await perform(Collective(.gather, root: root, name: name), message: message)
    }

    /// Combines the messages in rank order on rank 0 and gives everyone the result.
    package func reduce(
        _ message: [UInt8], name: String = "reduce", by combine: (inout [UInt8], [UInt8]) throws -> Void
    ) async throws -> [UInt8] {
        let messages = try await gather(message, to: 0, name: name)
        var result = messages.first ?? []
        do {
            for next in messages.dropFirst() { try combine(&result, next) }
        } catch {
            await abort(in: name, "\(error)")
            throw error
        }
        return try await broadcast(result, from: 0, name: name)
    }

    package func check(_ rank: Int) throws(DistributedError) {
        guard rank >= 0, rank < worldSize else {
            throw .invalidArgument("there is no rank \(rank) among \(worldSize)")
        }
    }
}
