/// One rank's way to the others: messages of bytes, and collectives that all ranks enter in the same order.
///
/// Every wait lasts as long as the others legitimately take, and ends at once with a `DistributedError` that names the
/// rank when one dies, leaves, fails, is cancelled, or calls something else. After such an error the group is broken for
/// good: every later call throws the same error. A call whose own task is cancelled throws `CancellationError`.
package protocol Communicator: Sendable {
    var rank: Int { get }
    var worldSize: Int { get }
    var localRank: Int { get }
    var localWorldSize: Int { get }
    /// Whose call of this rank it is.
    var turn: Turn { get }

    /// The messages that the pattern gives this rank, in rank order.
    func perform(_ collective: Collective, message: [UInt8]) async throws -> [[UInt8]]

    /// Returns when the message is on its way; the receiver need not have asked for it.
    func send(_ message: [UInt8], to rank: Int) async throws

    /// The next message that `rank` sent to this one.
    func receive(from rank: Int) async throws -> [UInt8]

    /// A position of the queue, 0 to `count - 1`, that no rank has had, in rising order; `nil` when all are handed out.
    ///
    /// Ranks know a queue by its number. Nobody needs to be waited for, so there is no turn to take and no limit.
    /// Throws `DistributedError` (`.mismatch`), and breaks the group, if another rank asked with another count.
    func next(of queue: Int, count: Int) async throws -> Int?

    /// This rank cannot go on, in the call of that name: breaks the group, so that nobody waits for it.
    func abort(in name: String, _ reason: String) async

    /// The call that this rank has made or is about to make may get another's results: all get the error in their place.
    /// Does not wait.
    func doubt(_ error: DistributedError)

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

    /// Refuses a message that is too long to be sent, before anything is copied, and lets the others know.
    /// Throws `DistributedError` (`.tooLarge`).
    package func admit(_ byteCount: Int, in name: String) async throws {
        do {
            try Frame.check(messageOf: byteCount)
        } catch {
            await abort(in: name, error.message)
            throw error
        }
    }

    package func check(_ rank: Int) throws(DistributedError) {
        guard rank >= 0, rank < worldSize else {
            throw .invalidArgument("there is no rank \(rank) among \(worldSize)")
        }
    }
}
