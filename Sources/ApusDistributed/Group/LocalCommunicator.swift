import NIOCore

/// A rank started by `apus launch`: reaches the others through the launcher, over a Unix socket.
package final class LocalCommunicator: Communicator {
    package let rank: Int
    package let worldSize: Int
    package let localRank: Int
    package let localWorldSize: Int
    private let client: SocketClient

    private init(place: RankPlace, client: SocketClient) {
        rank = place.rank
        worldSize = place.worldSize
        localRank = place.localRank
        localWorldSize = place.localWorldSize
        self.client = client
    }

    deinit { leave() }

    /// Throws `DistributedError` (`.connection`) if the launcher does not answer.
    static func connect(socket: String, token: String, place: RankPlace) async throws -> LocalCommunicator {
        LocalCommunicator(place: place, client: try await .connect(path: socket, token: token, rank: place.rank))
    }

    package func perform(_ collective: Collective, message: [UInt8]) async throws -> [[UInt8]] {
        try check(collective.root)
        var payload = ByteBuffer()
        payload.reserveCapacity(message.count + collective.name.utf8.count + 8)
        payload.writeInteger(collective.pattern.rawValue)
        payload.writeInteger(UInt8(clamping: collective.name.utf8.count))
        payload.writeBytes(collective.name.utf8.prefix(255))
        payload.writeBytes(message)
        return try await client.request(.collective, argument: Int32(clamping: collective.root), payload: payload)
            .map { Array($0.readableBytesView) }
    }

    package func send(_ message: [UInt8], to receiver: Int) async throws {
        try check(receiver)
        _ = try await client.request(.send, argument: Int32(clamping: receiver), payload: ByteBuffer(bytes: message))
    }

    package func receive(from sender: Int) async throws -> [UInt8] {
        try check(sender)
        return try await client.request(.receive, argument: Int32(clamping: sender))
            .first.map { Array($0.readableBytesView) } ?? []
    }

    package func abort(in name: String, _ reason: String) async {
        _ = try? await client.request(.abort, payload: ByteBuffer(string: name + "\n" + reason))
    }

    package func leave() { client.leave() }
}
