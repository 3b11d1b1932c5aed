import NIOCore

/// Jobs and results on the wire: index, attempt, earlier tries, length and bytes, one behind the other.
enum JobFrames {
    private static let headerByteCount = 24
    /// Jobs are put into one message up to this size.
    private static let partByteCount = 1 << 20

    static func parts(_ leases: [WorkLease]) -> [ByteBuffer] {
        var parts: [ByteBuffer] = []
        var part = ByteBuffer()
        for lease in leases {
            if part.readableBytes > 0, part.readableBytes + lease.item.payload.count > partByteCount {
                parts.append(part)
                part = ByteBuffer()
            }
            append(lease, lease.item.payload, to: &part)
        }
        if part.readableBytes > 0 { parts.append(part) }
        return parts
    }

    static func append(_ lease: WorkLease, _ payload: [UInt8], to buffer: inout ByteBuffer) {
        buffer.reserveCapacity(minimumWritableBytes: headerByteCount + payload.count)
        buffer.writeInteger(Int64(lease.item.index))
        buffer.writeInteger(Int64(lease.attempt))
        buffer.writeInteger(Int32(clamping: lease.tries))
        buffer.writeInteger(UInt32(payload.count))
        buffer.writeBytes(payload)
    }

    /// Calls the body with each, a result's bytes in its job's place; false if the bytes are none of ours.
    static func read(_ buffer: ByteBuffer, _ body: (WorkLease) -> Void) -> Bool {
        var buffer = buffer
        while buffer.readableBytes > 0 {
            guard let index = buffer.readInteger(as: Int64.self).flatMap({ Int(exactly: $0) }),
                let attempt = buffer.readInteger(as: Int64.self).flatMap({ Int(exactly: $0) }),
                let tries = buffer.readInteger(as: Int32.self).map(Int.init),
                let count = buffer.readInteger(as: UInt32.self).map(Int.init),
                let payload = buffer.readBytes(length: count)
            else { return false }
            body(WorkLease(item: WorkItem(index: index, payload: payload), attempt: attempt, tries: tries))
        }
        return true
    }
}
