#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The lines of a file or of standard input, as bytes, read as they are asked for.
struct LineReader: ~Copyable {
    private let descriptor: Int32
    private let path: String
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false

    /// - Parameter path: a file, or `-` for standard input.
    init(path: String) throws(CommandError) {
        self.path = path
        descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    deinit { if descriptor > 0 { close(descriptor) } }

    private static func failure(_ path: String) -> CommandError {
        CommandError("\(path) cannot be read: \(String(cString: strerror(errno)))")
    }

    /// The next line without its newline; `nil` at the end. A last line needs no newline.
    mutating func next() throws(CommandError) -> [UInt8]? {
        var searched = position
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { position = end + 1 }
                return Array(buffer[position..<end])
            }
            searched = buffer.count - position
            guard try fill() else { break }
        }
        guard position < buffer.count else { return nil }
        defer { position = buffer.count }
        return Array(buffer[position...])
    }

    /// Moves what is left to the buffer's start and reads on; false at the end.
    private mutating func fill() throws(CommandError) -> Bool {
        guard !isAtEnd else { return false }
        buffer.removeFirst(position)
        position = 0
        let count = buffer.count
        let size = max(1 << 16, count)
        buffer.append(contentsOf: repeatElement(0, count: size))
        var received = -1
        repeat {
            received = buffer.withUnsafeMutableBytes { bytes in
                read(descriptor, bytes.baseAddress?.advanced(by: count), size)
            }
        } while received < 0 && errno == EINTR
        buffer.removeLast(size - max(received, 0))
        guard received >= 0 else { throw Self.failure(path) }
        isAtEnd = received == 0
        return !isAtEnd
    }
}
