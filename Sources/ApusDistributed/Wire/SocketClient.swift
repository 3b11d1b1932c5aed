import NIOCore
import NIOPosix
import Synchronization

/// A rank's end of the connection to the launcher: requests that wait for their answer, and posts that do not.
final class SocketClient: Sendable {
    private struct Pending {
        var parts: [ByteBuffer] = []
        let continuation: CheckedContinuation<[ByteBuffer], any Error>
    }

    private struct State {
        var next: UInt64 = 1
        var pending: [UInt64: Pending] = [:]
        /// Why nothing can be asked any more.
        var ended: DistributedError?
    }

    private let channel: any Channel
    private let state: Shared

    private final class Shared: Sendable {
        let state = Mutex(State())
    }

    private init(channel: any Channel, state: Shared) {
        self.channel = channel
        self.state = state
    }

    deinit { leave() }

    /// Connects and shows the token. Throws `DistributedError` (`.connection`) if nobody listens or the token is refused.
    static func connect(path: String, token: String, rank: Int) async throws -> SocketClient {
        let state = Shared()
        let loop = try EventLoop.shared()
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .channelOption(.recvAllocator, value: EventLoop.receiveBuffers)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandlers([
                            FrameEncoder(), ByteToMessageHandler(FrameDecoder(greeted: true)),
                            ClientConnection(
                                received: { frame in Self.receive(frame, state) }, ended: { Self.end($0, state) }),
                        ])
                    }
                }
                .connect(unixDomainSocketPath: path)
                .get()
        } catch {
            throw DistributedError.connection("the launcher does not answer at \(path): \(error)")
        }
        let client = SocketClient(channel: channel, state: state)
        guard let rank = Int32(exactly: rank) else { throw DistributedError.invalidArgument("rank \(rank)") }
        _ = try await client.request(.hello, argument: rank, payload: ByteBuffer(string: token))
        return client
    }

    /// Sends a request and waits, as long as it takes, for the parts of its answer.
    ///
    /// Throws the error that the other side answered, `.connection` when it is gone, or `CancellationError` as soon as the
    /// task is cancelled: then the other side has been told with `farewell`, if there is one. After `limit` it is told that the
    /// request has expired, and answers with an error if it still cannot do better.
    func request(
        _ kind: Frame.Kind, argument: Int32 = 0, payload: ByteBuffer = ByteBuffer(), farewell: Frame? = nil,
        limit: Duration? = nil
    ) async throws -> [ByteBuffer] {
        guard payload.readableBytes <= Frame.payloadLimit else {
            throw DistributedError.tooLarge(payload.readableBytes)
        }
        let request = state.state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        let alarm = limit.map { limit in
            channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { [channel] in
                let text = ByteBuffer(string: limit.inWords)
                channel.writeAndFlush(Frame(kind: .expire, request: request, payload: text), promise: nil)
            }
        }
        defer { alarm?.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.state.withLock { state in
                    if let ended = state.ended { return continuation.resume(throwing: ended) }
                    state.pending[request] = Pending(continuation: continuation)
                    // Under the lock, so that what is said of a request follows it.
                    let frame = Frame(kind: kind, request: request, argument: argument, payload: payload)
                    if !Task.isCancelled { channel.writeAndFlush(frame, promise: nil) }
                }
                // The handler may have run before there was anything to cancel.
                if Task.isCancelled { cancel(request, farewell) }
            }
        } onCancel: {
            cancel(request, farewell)
        }
    }

    private func cancel(_ request: UInt64, _ farewell: Frame?) {
        let pending = state.state.withLock { $0.pending.removeValue(forKey: request) }
        guard let pending else { return }
        guard let farewell else { return pending.continuation.resume(throwing: CancellationError()) }
        // Whoever is cancelled may end the process next; but a launcher that reads nothing must not hold it.
        let end = Latch()
        channel.writeAndFlush(farewell).whenComplete { _ in end.open() }
        Task {
            await end.wait(upTo: .seconds(1))
            pending.continuation.resume(throwing: CancellationError())
        }
    }

    /// Sends without waiting. Throws what ended the connection, if it has ended.
    func post(_ kind: Frame.Kind, argument: Int32 = 0, payload: ByteBuffer = ByteBuffer()) throws {
        guard payload.readableBytes <= Frame.payloadLimit else {
            throw DistributedError.tooLarge(payload.readableBytes)
        }
        if let ended = state.state.withLock({ $0.ended }) { throw ended }
        channel.writeAndFlush(Frame(kind: kind, argument: argument, payload: payload), promise: nil)
    }

    /// Says goodbye and closes. What is awaited ends with an error.
    func leave() {
        channel.writeAndFlush(Frame(kind: .goodbye), promise: nil)
        channel.close(promise: nil)
    }

    private static func receive(_ frame: Frame, _ shared: Shared) {
        switch frame.kind {
        case .part:
            shared.state.withLock { $0.pending[frame.request]?.parts.append(frame.payload) }
        case .done:
            let pending = shared.state.withLock { $0.pending.removeValue(forKey: frame.request) }
            pending?.continuation.resume(returning: pending?.parts ?? [])
        case .failure where frame.request == 0:
            end(frame.error, shared)
        case .failure:
            let pending = shared.state.withLock { $0.pending.removeValue(forKey: frame.request) }
            pending?.continuation.resume(throwing: frame.error)
        default: break
        }
    }

    private static func end(_ error: DistributedError, _ shared: Shared) {
        let pending = shared.state.withLock { state in
            if state.ended == nil { state.ended = error }
            defer { state.pending = [:] }
            return state.pending
        }
        for waiting in pending.values { waiting.continuation.resume(throwing: error) }
    }
}

private final class ClientConnection: ChannelInboundHandler {
    typealias InboundIn = Frame

    private let received: (Frame) -> Void
    private let ended: (DistributedError) -> Void

    init(received: @escaping (Frame) -> Void, ended: @escaping (DistributedError) -> Void) {
        self.received = received
        self.ended = ended
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { received(unwrapInboundIn(data)) }

    func channelInactive(context: ChannelHandlerContext) {
        ended(.connection("the launcher closed the connection"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        ended((error as? DistributedError) ?? .connection("the connection to the launcher broke: \(error)"))
        context.close(promise: nil)
    }
}
