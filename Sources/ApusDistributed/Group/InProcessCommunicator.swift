import NIOCore
import Synchronization

/// Ranks that are tasks of one process; also the group of a process that runs alone.
package final class InProcessCommunicator: Communicator {
    package let rank: Int
    package let worldSize: Int
    package var localRank: Int { rank }
    package var localWorldSize: Int { worldSize }
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

        func request(_ change: (inout Rendezvous, UInt64) -> [Rendezvous.Answer]) async throws -> [ByteBuffer] {
            try await withCheckedThrowingContinuation { (continuation: Continuation) in
                update { state in
                    let request = state.next
                    state.next += 1
                    state.waiting[request] = continuation
                    return change(&state.rendezvous, request)
                }
            }
        }
    }

    private init(rank: Int, worldSize: Int, group: Group) {
        self.rank = rank
        self.worldSize = worldSize
        self.group = group
    }

    deinit { leave() }

    /// One communicator for each rank, in rank order. A rank whose communicator is released has left.
    package static func group(of worldSize: Int) -> [InProcessCommunicator] {
        let group = Group(worldSize: worldSize)
        return (0..<max(worldSize, 0)).map { InProcessCommunicator(rank: $0, worldSize: worldSize, group: group) }
    }

    package func perform(_ collective: Collective, message: [UInt8]) async throws -> [[UInt8]] {
        try check(collective.root)
        return try await group.request { [rank] rendezvous, request in
            rendezvous.enter(collective, rank: rank, request: request, payload: ByteBuffer(bytes: message))
        }.map { Array($0.readableBytesView) }
    }

    package func send(_ message: [UInt8], to receiver: Int) async throws {
        try check(receiver)
        _ = try await group.request { [rank] rendezvous, request in
            rendezvous.send(ByteBuffer(bytes: message), from: rank, to: receiver, request: request)
        }
    }

    package func receive(from sender: Int) async throws -> [UInt8] {
        try check(sender)
        return try await group.request { [rank] rendezvous, request in
            rendezvous.receive(from: sender, to: rank, request: request)
        }.first.map { Array($0.readableBytesView) } ?? []
    }

    package func abort(in name: String, _ reason: String) async {
        group.update { [rank] in $0.rendezvous.abort(rank: rank, in: name, reason: reason) }
    }

    package func leave() {
        group.update { [rank] in $0.rendezvous.end(rank: rank, description: "left", isFailure: false) }
    }
}
