import NIOCore

/// A rank started by `apus launch`: reaches the others through the launcher, over a Unix socket.
package final class LocalCommunicator: Communicator {
    package let rank: Int
    package let worldSize: Int
    package let localRank: Int
    package let localWorldSize: Int
    package let turn = Turn()
    private let timeout: Duration?
    private let client: SocketClient

    private init(place: RankPlace, timeout: Duration?, client: SocketClient) {
        rank = place.rank
        worldSize = place.worldSize
        localRank = place.localRank
        localWorldSize = place.localWorldSize
        self.timeout = timeout
        self.client = client
    }

    deinit { leave() }

    /// Throws `DistributedError` (`.connection`) if the launcher does not answer.
    static func connect(
        socket: String, token: String, place: RankPlace, timeout: Duration?
    ) async throws -> LocalCommunicator {
        LocalCommunicator(
            place: place, timeout: timeout, client: try await .connect(path: socket, token: token, rank: place.rank))
    }

    package func perform(_ collective: Collective, message: [UInt8]) async throws -> [[UInt8]] {
        try check(collective.root)
        try await admit(message.count, in: collective.name)
        var payload = ByteBuffer()
        payload.reserveCapacity(message.count + collective.name.utf8.count + 8)
        payload.writeInteger(collective.pattern.rawValue)
        payload.writeInteger(UInt8(clamping: collective.name.utf8.count))
        payload.writeBytes(collective.name.utf8.prefix(255))
        payload.writeBytes(message)
        return try await client.request(
            .collective, argument: Int32(clamping: collective.root), payload: payload,
            farewell: farewell(collective.name), limit: timeout
        ).map { Array($0.readableBytesView) }
    }

    package func send(_ message: [UInt8], to receiver: Int) async throws {
        try check(receiver)
        try await admit(message.count, in: "send")
        _ = try await client.request(
            .send, argument: Int32(clamping: receiver), payload: ByteBuffer(bytes: message), farewell: farewell("send"))
    }

    package func receive(from sender: Int) async throws -> [UInt8] {
        try check(sender)
        return try await client.request(.receive, argument: Int32(clamping: sender), farewell: farewell("receive"))
            .first.map { Array($0.readableBytesView) } ?? []
    }

    package func next(of queue: Int, count: Int) async throws -> Int? {
        var payload = ByteBuffer(integer: Int64(queue))
        payload.writeInteger(Int64(count))
        guard var position = try await client.request(.next, payload: payload, farewell: farewell("queue")).first else {
            return nil
        }
        guard let position = position.readInteger(as: Int64.self).flatMap(Int.init(exactly:)) else {
            throw DistributedError.connection("the launcher sent something that is no position of a queue")
        }
        return position
    }

    private func farewell(_ name: String) -> Frame { Frame(kind: .cancel, payload: ByteBuffer(string: name)) }

    package func abort(in name: String, _ reason: String) async {
        _ = try? await client.request(.abort, payload: ByteBuffer(string: name + "\n" + reason))
    }

    package func doubt(_ error: DistributedError) {
        // Who has lost the launcher has lost the others too.
        try? client.post(.doubt, payload: Frame.failure(error).payload)
    }

    package func leave() { client.leave() }
}
