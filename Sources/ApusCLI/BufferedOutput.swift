/// An open file, written in large pieces.
struct BufferedOutput {
    let descriptor: OutputDescriptor
    private var buffer: [UInt8] = []

    init(_ descriptor: OutputDescriptor) { self.descriptor = descriptor }

    /// Throws `CommandError` if what is buffered cannot be written.
    mutating func write(_ text: String) throws(CommandError) {
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= 1 << 16 { try flush() }
    }

    mutating func flush() throws(CommandError) {
        defer { buffer.removeAll(keepingCapacity: true) }
        try descriptor.write(buffer)
    }
}
