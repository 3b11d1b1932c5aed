#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Standard output or error, written in large pieces.
struct BufferedOutput {
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    static var standardOutput: BufferedOutput { BufferedOutput(descriptor: 1) }
    static var standardError: BufferedOutput { BufferedOutput(descriptor: 2) }

    private init(descriptor: Int32) { self.descriptor = descriptor }

    mutating func write(_ text: String) {
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= 1 << 16 { flush() }
    }

    /// Writes what is buffered; a reader that has gone away ends the process by its signal.
    mutating func flush() {
        var rest = buffer[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { unsafeWrite($0) }
            if count < 0, errno != EINTR { break }
            rest = rest.dropFirst(max(count, 0))
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private func unsafeWrite(_ bytes: UnsafeRawBufferPointer) -> Int {
        bytes.baseAddress.map { systemWrite(descriptor, $0, bytes.count) } ?? 0
    }
}

/// `write` outside the type, where its method of that name would hide it.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
