import NIOCore

/// Writes a frame as its header and, uncopied, its payload.
final class FrameEncoder: ChannelOutboundHandler {
    typealias OutboundIn = Frame
    typealias OutboundOut = ByteBuffer

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let frame = unwrapOutboundIn(data)
        var header = context.channel.allocator.buffer(capacity: 4 + Frame.headerByteCount)
        header.writeInteger(UInt32(truncatingIfNeeded: Frame.headerByteCount + frame.payload.readableBytes))
        header.writeInteger(frame.kind.rawValue)
        header.writeInteger(frame.request)
        header.writeInteger(frame.argument)
        guard frame.payload.readableBytes > 0 else {
            context.write(wrapOutboundOut(header), promise: promise)
            return
        }
        context.write(wrapOutboundOut(header), promise: nil)
        context.write(wrapOutboundOut(frame.payload), promise: promise)
    }
}
