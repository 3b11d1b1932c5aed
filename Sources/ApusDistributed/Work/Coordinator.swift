import NIOCore
import Synchronization

/// Answers the workers of a pool from the queue and tells when one fails.
final class Coordinator: Sendable {
    enum Event: Sendable {
        case result(WorkResult)
        case progress(rank: Int, tokens: Int)
        case failed(DistributedError)
    }

    private struct State {
        var queue: WorkQueue
        var running: Int
        var server: SocketServer?
        var error: OutputRelay?
        /// Requests for jobs that could not be answered yet.
        var asking: [(rank: Int, frame: Frame)] = []
        var isClosed = false
        /// The first failure is the cause of others.
        var hasFailed = false

        mutating func handOut() {
            let requests = asking
            asking = []
            for (rank, frame) in requests {
                guard let jobs = queue.take(upTo: Int(frame.argument), rank: rank) else {
                    asking.append((rank, frame))
                    continue
                }
                for job in jobs {
                    var part = ByteBuffer(integer: Int64(job.index))
                    part.writeBytes(job.payload)
                    server?.send(Frame(kind: .part, request: frame.request, payload: part), to: rank)
                }
                server?.send(Frame(kind: .done, request: frame.request), to: rank)
            }
        }
    }

    /// Opens when no worker runs any more.
    let allEnded = Latch()
    let token = EnvironmentKey.freshToken()
    private let state: Mutex<State>
    private let sink: AsyncStream<Event>.Continuation
    private let workers: Int

    init(jobs: [WorkItem], workers: Int, sink: AsyncStream<Event>.Continuation) {
        self.workers = workers
        self.sink = sink
        state = Mutex(State(queue: WorkQueue(jobs, ranks: workers), running: workers))
    }

    func start(_ ranks: RankSet) async throws {
        let server = SocketServer(ranks: workers, token: token) { [weak self] event in
            if case .received(let rank, let frame) = event { self?.receive(frame, from: rank) }
        }
        state.withLock { state in
            state.server = server
            state.error = ranks.error
        }
        try await server.listen(at: ranks.directory.socket)
        try await ranks.start { rank, status in Task { await self.ended(rank, status) } }
    }

    /// Takes nothing any more. What has been taken is still told, and then the end.
    func close() {
        let server = state.withLock { state in
            state.isClosed = true
            sink.finish()
            return state.server
        }
        server?.close()
    }

    private func receive(_ frame: Frame, from rank: Int) {
        state.withLock { state in
            guard !state.isClosed else { return }
            switch frame.kind {
            case .take:
                state.asking.append((rank, frame))
                state.handOut()
            case .submit:
                var payload = frame.payload
                guard let index = payload.readInteger(as: Int64.self).flatMap({ Int(exactly: $0) }),
                    state.queue.finish(index, rank: rank)
                else {
                    let error = DistributedError.rankFailed(rank, "rank \(rank) handed in a job that it does not hold")
                    state.server?.send(.failure(error, request: frame.request), to: rank)
                    sink.yield(.failed(error))
                    return
                }
                sink.yield(.result(WorkResult(rank: rank, index: index, payload: Array(payload.readableBytesView))))
                state.server?.send(Frame(kind: .done, request: frame.request), to: rank)
                if state.queue.unfinishedCount == 0 { sink.finish() }
            case .progress:
                var payload = frame.payload
                guard let tokens = payload.readInteger(as: Int64.self).flatMap({ Int(exactly: $0) }) else { return }
                sink.yield(.progress(rank: rank, tokens: tokens))
            case .abort:
                sink.yield(.failed(.rankFailed(rank, String(buffer: frame.payload))))
                state.server?.send(Frame(kind: .done, request: frame.request), to: rank)
            default: break
            }
        }
    }

    private func ended(_ rank: Int, _ status: ExitStatus) async {
        await state.withLock { $0.server }?.drain(rank)
        let (held, fails, relay) = state.withLock { state in
            state.running -= 1
            state.queue.leave(rank)
            state.handOut()
            if state.running == 0 { allEnded.open() }
            let held = state.queue.held(by: rank)
            let fails =
                state.queue.unfinishedCount > 0 && !state.hasFailed
                && (!status.isSuccess || !held.isEmpty || state.running == 0)
            state.hasFailed = state.hasFailed || fails
            return (held, fails, state.error)
        }
        guard fails else { return }
        let jobs = held.map(String.init).joined(separator: ", ")
        let holding =
            held.isEmpty ? "while it held no job" : "while it held \(held.count == 1 ? "job" : "jobs") \(jobs)"
        let words = await relay?.lastLine(of: rank).map { "; its last words: \($0)" } ?? ""
        sink.yield(.failed(.rankFailed(rank, "rank \(rank) \(status) \(holding)\(words)")))
    }
}
