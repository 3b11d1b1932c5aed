/// An open file, written in large pieces.
package struct BufferedOutput {
    package let descriptor: OutputDescriptor
    private var buffer: [UInt8] = []

    package init(_ descriptor: OutputDescriptor) { self.descriptor = descriptor }

    /// Throws `RunError` if what is buffered cannot be written.
    package mutating func write(_ text: String) throws(RunError) { try write(Array(text.utf8)) }

    package mutating func write(_ bytes: [UInt8]) throws(RunError) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= 1 << 16 { try flush() }
    }

    package mutating func flush() throws(RunError) {
        defer { buffer.removeAll(keepingCapacity: true) }
        try descriptor.write(buffer)
    }
}
