import NIOCore

/// A worker's side of a pool: takes jobs, gives back results.
package final class WorkerChannel: Sendable {
    package let rank: Int
    private let client: SocketClient

    private init(rank: Int, client: SocketClient) {
        self.rank = rank
        self.client = client
    }

    /// Connects to the coordinator named in the environment.
    /// Throws `DistributedError` (`.environment`) if none is named, `.connection` if it does not answer.
    package static func connect() async throws -> WorkerChannel {
        guard let path = Platform.environmentVariable(EnvironmentKey.coordinator),
            let token = Platform.environmentVariable(EnvironmentKey.token),
            let rank = Platform.environmentVariable(EnvironmentKey.rank).flatMap({ Int($0) })
        else { throw DistributedError.environment("this process was not started as a worker of a pool") }
        return WorkerChannel(rank: rank, client: try await .connect(path: path, token: token, rank: rank))
    }

    /// The next jobs, in the coordinator's order; none when there are no more. Waits at most for workers that
    /// are still starting, for each of whom a job is kept back.
    package func next(upTo count: Int) async throws -> [WorkItem] {
        let parts = try await client.request(.take, argument: Int32(clamping: count))
        return try parts.map { part in
            var part = part
            guard let index = part.readInteger(as: Int64.self) else {
                throw DistributedError.connection("a job came without its index")
            }
            return WorkItem(index: Int(index), payload: Array(part.readableBytesView))
        }
    }

    /// Hands in the result of a job that this worker holds; returns when the coordinator has it.
    /// Throws `DistributedError` (`.tooLarge`) before anything is sent.
    package func submit(_ index: Int, payload: [UInt8]) async throws {
        try Frame.check(messageOf: payload.count)
        var buffer = ByteBuffer()
        buffer.reserveCapacity(8 + payload.count)
        buffer.writeInteger(Int64(index))
        buffer.writeBytes(payload)
        _ = try await client.request(.submit, payload: buffer)
    }

    /// Tells the tokens this worker has made so far, over all its jobs. Does not wait.
    package func report(tokens: Int) throws {
        try client.post(.progress, payload: ByteBuffer(integer: Int64(tokens)))
    }

    /// Says why this worker cannot go on: the run ends with that sentence. Returns when the coordinator has it.
    package func fail(_ reason: String) async {
        // A coordinator that is gone needs no reason.
        _ = try? await client.request(.abort, payload: ByteBuffer(string: reason))
    }
}
