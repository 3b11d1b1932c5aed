import ApusCompute
import NIOCore

/// A tensor, or only what it looks like, as bytes.
enum TensorMessage {
    struct Header: Sendable, Hashable {
        var dtype: DType
        var shape: Shape

        init(_ tensor: HostTensor) {
            dtype = tensor.dtype
            shape = tensor.shape
        }

        /// As `encode` wrote it; `nil` if it is something else.
        init?(from buffer: inout ByteBuffer) {
            guard let length = buffer.readInteger(as: UInt8.self), let name = buffer.readString(length: Int(length)),
                let dtype = DType(rawValue: name), let rank = buffer.readInteger(as: UInt8.self)
            else { return nil }
            var dimensions: [Int] = []
            for _ in 0..<rank {
                guard let extent = buffer.readInteger(as: Int64.self).flatMap({ Int(exactly: $0) }) else { return nil }
                dimensions.append(extent)
            }
            guard let shape = try? Shape(dimensions) else { return nil }
            self.dtype = dtype
            self.shape = shape
        }

        func write(to buffer: inout ByteBuffer) {
            buffer.writeInteger(UInt8(clamping: dtype.rawValue.utf8.count))
            buffer.writeString(dtype.rawValue)
            buffer.writeInteger(UInt8(clamping: shape.rank))
            for extent in shape.dimensions { buffer.writeInteger(Int64(extent)) }
        }
    }

    /// How long the message of a tensor is.
    static func byteCount(of tensor: HostTensor) -> Int {
        2 + tensor.dtype.rawValue.utf8.count + tensor.shape.rank * MemoryLayout<Int64>.size + tensor.bytes.count
    }

    static func encode(_ tensor: HostTensor, headerOnly: Bool = false) throws(DistributedError) -> [UInt8] {
        guard tensor.shape.rank <= 255 else { throw .invalidArgument("a tensor of \(tensor.shape.rank) dimensions") }
        var buffer = ByteBuffer()
        Header(tensor).write(to: &buffer)
        var message: [UInt8] = []
        message.reserveCapacity(buffer.readableBytes + (headerOnly ? 0 : tensor.bytes.count))
        message += buffer.readableBytesView
        if !headerOnly { message += tensor.bytes }
        return message
    }

    /// `nil` if the bytes are not a tensor's.
    static func decode(_ message: [UInt8]) -> HostTensor? {
        var buffer = ByteBuffer(bytes: message)
        guard let header = Header(from: &buffer) else { return nil }
        return try? HostTensor(shape: header.shape, dtype: header.dtype, bytes: Array(buffer.readableBytesView))
    }

    static func decodeHeader(_ message: [UInt8]) -> Header? {
        var buffer = ByteBuffer(bytes: message)
        return Header(from: &buffer)
    }
}
