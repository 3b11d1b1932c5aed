import NIOCore
import Synchronization

/// Ranks that are tasks of one process; also the group of a process that runs alone.
package final class InProcessCommunicator: Communicator {
    package let rank: Int
    package let worldSize: Int
    package var localRank: Int { rank }
    package var localWorldSize: Int { worldSize }
    package let turn = Turn()
    private let timeout: Duration?
    private let group: Group

    private typealias Continuation = CheckedContinuation<[ByteBuffer], any Error>

    private struct State {
        var rendezvous: Rendezvous
        var next: UInt64 = 1
        var waiting: [UInt64: Continuation] = [:]
    }

    private final class Group: Sendable {
        let state: Mutex<State>

        init(worldSize: Int) { state = Mutex(State(rendezvous: Rendezvous(worldSize: worldSize))) }

        /// Lets the answers go out once the lock is open again.
        func update(_ change: (inout State) -> [Rendezvous.Answer]) {
            let answers = state.withLock { state in
                change(&state).map { answer in (state.waiting.removeValue(forKey: answer.request), answer.result) }
            }
            for (continuation, result) in answers { continuation?.resume(with: result.mapError { $0 }) }
        }

        func request(
            _ name: String, rank: Int, limit: Duration? = nil,
            _ change: (inout Rendezvous, UInt64) -> [Rendezvous.Answer]
        ) async throws -> [ByteBuffer] {
            let request = state.withLock { state in
                defer { state.next += 1 }
                return state.next
            }
            let alarm = limit.map { limit in
                Task { [weak self] in
                    try await Task.sleep(for: limit)
                    self?.update { $0.rendezvous.expire(rank: rank, request: request, after: limit.inWords) }
                }
            }
            defer { alarm?.cancel() }
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { (continuation: Continuation) in
                    update { state in
                        state.waiting[request] = continuation
                        return Task.isCancelled ? [] : change(&state.rendezvous, request)
                    }
                    // The handler may have run before there was anything to cancel.
                    if Task.isCancelled { cancel(request, name, rank) }
                }
            } onCancel: {
                cancel(request, name, rank)
            }
        }

        private func cancel(_ request: UInt64, _ name: String, _ rank: Int) {
            guard let continuation = state.withLock({ $0.waiting.removeValue(forKey: request) }) else { return }
            update { $0.rendezvous.cancel(rank: rank, in: name) }
            continuation.resume(throwing: CancellationError())
        }
    }

    private init(rank: Int, worldSize: Int, timeout: Duration?, group: Group) {
        self.rank = rank
        self.worldSize = worldSize
        self.timeout = timeout
        self.group = group
    }

    deinit { leave() }

    /// One communicator for each rank, in rank order. A rank whose communicator is released has left. Nobody waits for
    /// others at a collective for longer than `timeout`.
    package static func group(of worldSize: Int, timeout: Duration? = nil) -> [InProcessCommunicator] {
        let group = Group(worldSize: worldSize)
        return (0..<max(worldSize, 0)).map {
            InProcessCommunicator(rank: $0, worldSize: worldSize, timeout: timeout, group: group)
        }
    }

    package func perform(_ collective: Collective, message: [UInt8]) async throws -> [[UInt8]] {
        try check(collective.root)
        try await admit(message.count, in: collective.name)
        return try await group.request(collective.name, rank: rank, limit: timeout) { [rank] rendezvous, request in
            rendezvous.enter(collective, rank: rank, request: request, payload: ByteBuffer(bytes: message))
        }.map { Array($0.readableBytesView) }
    }

    package func send(_ message: [UInt8], to receiver: Int) async throws {
        try check(receiver)
        try await admit(message.count, in: "send")
        _ = try await group.request("send", rank: rank) { [rank] rendezvous, request in
            rendezvous.send(ByteBuffer(bytes: message), from: rank, to: receiver, request: request)
        }
    }

    package func receive(from sender: Int) async throws -> [UInt8] {
        try check(sender)
        return try await group.request("receive", rank: rank) { [rank] rendezvous, request in
            rendezvous.receive(from: sender, to: rank, request: request)
        }.first.map { Array($0.readableBytesView) } ?? []
    }

    package func next(of queue: Int, count: Int) async throws -> Int? {
        try await group.request("queue", rank: rank) { [rank] rendezvous, request in
            rendezvous.next(of: queue, count: count, rank: rank, request: request)
        }.first.flatMap { $0.getInteger(at: $0.readerIndex, as: Int64.self) }.flatMap(Int.init(exactly:))
    }

    package func abort(in name: String, _ reason: String) async {
        group.update { [rank] in $0.rendezvous.abort(rank: rank, in: name, reason: reason) }
    }

    package func doubt(_ error: DistributedError) {
        group.update { [rank] state in
            state.rendezvous.doubt(rank: rank, error)
            return []
        }
    }

    package func leave() {
        group.update { [rank] in $0.rendezvous.end(rank: rank, description: "left", isFailure: false) }
    }
}
