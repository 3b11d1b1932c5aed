import NIOCore

/// Cuts a stream of bytes into frames. A length over the limit ends the connection with an error.
struct FrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = Frame

    /// Grows to the full limit once the first frame, the greeting, has been read.
    private var limit: Int

    init(greeted: Bool) { limit = greeted ? Frame.payloadLimit : Frame.greetingLimit }

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self).map(Int.init) else {
            return .needMoreData
        }
        guard length >= Frame.headerByteCount, length - Frame.headerByteCount <= limit else {
            throw DistributedError.connection("a frame of \(length) bytes came from the other side")
        }
        guard buffer.readableBytes >= 4 + length else { return .needMoreData }
        buffer.moveReaderIndex(forwardBy: 4)
        guard let kind = buffer.readInteger(as: UInt8.self), let request = buffer.readInteger(as: UInt64.self),
            let argument = buffer.readInteger(as: Int32.self),
            let payload = buffer.readSlice(length: length - Frame.headerByteCount)
        else { throw DistributedError.connection("a cut frame came from the other side") }
        limit = Frame.payloadLimit
        let frame = Frame(kind: Frame.Kind(rawValue: kind), request: request, argument: argument, payload: payload)
        context.fireChannelRead(wrapInboundOut(frame))
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        while try decode(context: context, buffer: &buffer) == .continue {}
        return .needMoreData
    }
}
