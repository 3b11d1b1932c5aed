import NIOCore
import Synchronization

/// The launcher's part of a local group: carries the ranks' messages and knows who has ended.
final class GroupHub: Sendable {
    private struct State {
        var rendezvous: Rendezvous
        var server: SocketServer?
    }

    private let worldSize: Int
    private let state: Mutex<State>
    private let onFailure: @Sendable (DistributedError) -> Void

    /// `onFailure` is called once, before any rank is told.
    init(worldSize: Int, onFailure: @escaping @Sendable (DistributedError) -> Void) {
        self.worldSize = worldSize
        self.onFailure = onFailure
        state = Mutex(State(rendezvous: Rendezvous(worldSize: worldSize)))
    }

    func listen(at path: String, token: String) async throws {
        let server = SocketServer(ranks: worldSize, token: token) { [weak self] event in self?.handle(event) }
        state.withLock { $0.server = server }
        try await server.listen(at: path)
    }

    func close() { state.withLock { $0.server }?.close() }

    /// The process of a rank has ended.
    func ended(_ rank: Int, _ status: ExitStatus) async {
        await state.withLock { $0.server }?.drain(rank)
        update { $0.end(rank: rank, description: status.description, isFailure: !status.isSuccess) }
    }

    private func handle(_ event: SocketServer.Event) {
        switch event {
        case .joined, .left(_, goodbye: true): break
        case .left(let rank, goodbye: false):
            // As a rule its process has just died, and how will be known in a moment.
            Task {
                try? await Task.sleep(for: .milliseconds(300))
                guard state.withLock({ $0.server })?.isConnected(rank) == false else { return }
                update { $0.end(rank: rank, description: "broke its connection off", isFailure: true) }
            }
        case .received(let rank, let frame): receive(frame, from: rank)
        }
    }

    private func receive(_ frame: Frame, from rank: Int) {
        let peer = Int(frame.argument)
        guard peer >= 0, peer < worldSize else {
            let error = DistributedError.invalidArgument("there is no rank \(peer) among \(worldSize)")
            state.withLock { $0.server }?.send(.failure(error, request: frame.request), to: rank)
            return
        }
        switch frame.kind {
        case .collective:
            guard let (collective, message) = Self.collective(in: frame) else { return }
            update { $0.enter(collective, rank: rank, request: frame.request, payload: message) }
        case .send: update { $0.send(frame.payload, from: rank, to: peer, request: frame.request) }
        case .receive: update { $0.receive(from: peer, to: rank, request: frame.request) }
        case .next:
            var payload = frame.payload
            guard let (queue, count) = payload.readMultipleIntegers(as: (Int64, Int64).self), count >= 0 else { return }
            update {
                $0.next(of: Int(clamping: queue), count: Int(clamping: count), rank: rank, request: frame.request)
            }
        case .abort:
            let parts = String(buffer: frame.payload).split(separator: "\n", maxSplits: 1)
            guard let name = parts.first else { return }
            update { $0.abort(rank: rank, in: String(name), reason: parts.count > 1 ? String(parts[1]) : "") }
            state.withLock { $0.server }?.send(Frame(kind: .done, request: frame.request), to: rank)
        case .doubt:
            update { rendezvous in
                rendezvous.doubt(rank: rank, frame.error)
                return []
            }
        case .cancel: update { $0.cancel(rank: rank, in: String(buffer: frame.payload)) }
        case .expire:
            update { $0.expire(rank: rank, request: frame.request, after: String(buffer: frame.payload)) }
        default: break
        }
    }

    private static func collective(in frame: Frame) -> (Collective, ByteBuffer)? {
        var payload = frame.payload
        guard let pattern = payload.readInteger(as: UInt8.self).flatMap(Collective.Pattern.init(rawValue:)),
            let length = payload.readInteger(as: UInt8.self), let name = payload.readString(length: Int(length))
        else { return nil }
        return (Collective(pattern, root: Int(frame.argument), name: name), payload.slice())
    }

    private func update(_ change: (inout Rendezvous) -> [Rendezvous.Answer]) {
        state.withLock { state in
            let before = state.rendezvous.failure
            let answers = change(&state.rendezvous)
            if before == nil, let failure = state.rendezvous.failure { onFailure(failure) }
            for answer in answers {
                switch answer.result {
                case .success(let parts):
                    for part in parts {
                        state.server?.send(Frame(kind: .part, request: answer.request, payload: part), to: answer.rank)
                    }
                    state.server?.send(Frame(kind: .done, request: answer.request), to: answer.rank)
                case .failure(let error):
                    state.server?.send(.failure(error, request: answer.request), to: answer.rank)
                }
            }
        }
    }
}
