import NIOCore

/// A worker's side of a pool: takes jobs, gives back results.
package final class WorkerChannel: Sendable {
    package let rank: Int
    private let client: SocketClient

    private init(rank: Int, client: SocketClient) {
        self.rank = rank
        self.client = client
    }

    /// Whether this process was started as a worker.
    package static var isNamed: Bool { Platform.environmentVariable(EnvironmentKey.coordinator) != nil }

    /// Connects to the coordinator named in the environment. From now on the signals that end a job do nothing: they are
    /// sent to all of its processes, and it is the coordinator that says what becomes of the work.
    /// Throws `DistributedError` (`.environment`) if none is named, `.connection` if it does not answer.
    package static func connect() async throws -> WorkerChannel {
        guard let path = Platform.environmentVariable(EnvironmentKey.coordinator),
            let token = Platform.environmentVariable(EnvironmentKey.token),
            let rank = Platform.environmentVariable(EnvironmentKey.rank).flatMap({ Int($0) })
        else { throw DistributedError.environment("this process was not started as a worker of a pool") }
        Signal.ignoreEndings()
        return WorkerChannel(rank: rank, client: try await .connect(path: path, token: token, rank: rank))
    }

    /// What the pool's workers are told at their start.
    package func settings() async throws -> [UInt8] {
        try await client.request(.settings).flatMap { Array($0.readableBytesView) }
    }

    /// Jobs for a worker that has room for `capacity` at once, those that it holds included; none when there will be no
    /// more. Waits until there are some.
    package func next(capacity: Int) async throws -> [WorkLease] {
        let parts = try await client.request(.take, argument: Int32(clamping: capacity))
        var leases: [WorkLease] = []
        for part in parts {
            guard JobFrames.read(part, { leases.append($0) }) else {
                throw DistributedError.connection("a job came that cannot be read")
            }
        }
        return leases
    }

    /// Hands in the results of jobs that this worker holds, and how far it is; returns when the coordinator keeps them.
    /// Throws `DistributedError` (`.tooLarge`) before anything is sent.
    package func submit(
        _ results: [(lease: WorkLease, payload: [UInt8])], report: WorkerReport = WorkerReport()
    ) async throws {
        var buffer = report.message
        for (lease, payload) in results {
            try Frame.check(messageOf: payload.count + buffer.readableBytes)
            JobFrames.append(lease, payload, to: &buffer)
        }
        _ = try await client.request(.submit, payload: buffer)
    }

    /// Tells how far this worker is. Does not wait.
    package func report(_ report: WorkerReport) throws {
        try client.post(.progress, payload: report.message)
    }

    /// Says why this worker cannot go on, and returns when the coordinator has it. Where it is nobody's fault but the
    /// run's own (`endsRun`: no such model), no worker can, and the run ends with that sentence.
    package func fail(_ reason: String, endsRun: Bool) async {
        // A coordinator that is gone needs no reason.
        _ = try? await client.request(.abort, argument: endsRun ? 1 : 0, payload: ByteBuffer(string: reason))
    }
}
