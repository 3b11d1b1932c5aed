import NIOCore
import NIOPosix
import Synchronization

/// The launcher's end: listens on a Unix socket, lets in one connection for each rank that shows the token.
///
/// Events come one at a time, on the event loop.
final class SocketServer: Sendable {
    enum Event: Sendable {
        case joined(rank: Int)
        case received(rank: Int, Frame)
        /// The connection is gone; `goodbye` tells whether the peer said so first.
        case left(rank: Int, goodbye: Bool)
    }

    private struct State {
        var connections: [Int: any Channel] = [:]
        var listener: (any Channel)?
    }

    let ranks: Int
    let token: String
    private let state = Mutex(State())
    private let onEvent: @Sendable (Event) -> Void

    init(ranks: Int, token: String, onEvent: @escaping @Sendable (Event) -> Void) {
        self.ranks = ranks
        self.token = token
        self.onEvent = onEvent
    }

    func listen(at path: String) async throws {
        let listener = try await ServerBootstrap(group: EventLoop.shared())
            .childChannelOption(.recvAllocator, value: EventLoop.receiveBuffers)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        FrameEncoder(), ByteToMessageHandler(FrameDecoder(greeted: false)),
                        ServerConnection(server: self),
                    ])
                }
            }
            .bind(unixDomainSocketPath: path)
            .get()
        state.withLock { $0.listener = listener }
    }

    /// A rank without a connection gets nothing.
    func send(_ frame: Frame, to rank: Int) {
        state.withLock { $0.connections[rank] }?.writeAndFlush(frame, promise: nil)
    }

    func isConnected(_ rank: Int) -> Bool { state.withLock { $0.connections[rank] != nil } }

    /// Waits a moment for what a process sent before it ended and for the end of its connection.
    func drain(_ rank: Int) async {
        for _ in 0..<40 where isConnected(rank) { try? await Task.sleep(for: .milliseconds(5)) }
    }

    func close() {
        let (listener, connections) = state.withLock { state in
            defer { state = State() }
            return (state.listener, Array(state.connections.values))
        }
        listener?.close(promise: nil)
        for connection in connections { connection.close(promise: nil) }
    }

    fileprivate func join(_ rank: Int, _ channel: any Channel) -> Bool {
        let joined = state.withLock { state in
            guard rank >= 0, rank < ranks, state.connections[rank] == nil else { return false }
            state.connections[rank] = channel
            return true
        }
        if joined { onEvent(.joined(rank: rank)) }
        return joined
    }

    fileprivate func receive(_ frame: Frame, from rank: Int) { onEvent(.received(rank: rank, frame)) }

    fileprivate func leave(_ rank: Int, goodbye: Bool) {
        state.withLock { $0.connections[rank] = nil }
        onEvent(.left(rank: rank, goodbye: goodbye))
    }
}

/// One accepted connection: nobody until its greeting, then a rank.
private final class ServerConnection: ChannelInboundHandler {
    typealias InboundIn = Frame

    private let server: SocketServer
    private var rank: Int?
    private var hasLeft = false

    init(server: SocketServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        if let rank {
            guard frame.kind == .goodbye else { return server.receive(frame, from: rank) }
            // At once, so that the same process may come back.
            server.leave(rank, goodbye: true)
            self.rank = nil
            hasLeft = true
            return
        }
        guard !hasLeft else { return }
        let rank = Int(frame.argument)
        guard frame.kind == .hello, String(buffer: frame.payload) == server.token else {
            refuse(context, "the token does not fit: the process belongs to another job")
            return
        }
        guard server.join(rank, context.channel) else {
            refuse(context, "rank \(rank) is connected already, or is not one of \(server.ranks)")
            return
        }
        self.rank = rank
        context.writeAndFlush(NIOAny(Frame(kind: .done, request: frame.request)), promise: nil)
    }

    private func refuse(_ context: ChannelHandlerContext, _ reason: String) {
        context.writeAndFlush(NIOAny(Frame.failure(.connection(reason))), promise: nil)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let rank { server.leave(rank, goodbye: false) }
        rank = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
