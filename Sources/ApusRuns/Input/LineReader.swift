#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The lines of a file or of standard input, as bytes, read as they are asked for.
package final class LineReader {
    private let descriptor: Int32
    private let path: String
    private var buffer: [UInt8] = []
    private var position = 0
    /// Of the buffer's start in the file.
    private var start: Int
    private var isAtEnd = false

    /// - Parameters:
    ///   - path: a file, or `-` for standard input.
    ///   - offset: where in the file to begin.
    package init(path: String, offset: Int = 0) throws(RunError) {
        self.path = path
        start = offset
        descriptor =
            path == "-"
            ? Self.rereadableInput.map { open($0, O_RDONLY | O_CLOEXEC) } ?? 0 : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0, offset == 0 || lseek(descriptor, off_t(offset), SEEK_SET) == off_t(offset) else {
            throw Self.failure(path)
        }
    }

    deinit { if descriptor > 0 { close(descriptor) } }

    /// The path of standard input if it is a file that nobody has read from: one that can be read again and again.
    package static let rereadableInput: String? = {
        #if os(Linux)
            let isNew = FileIdentity(descriptor: 0)?.isRegular == true && lseek(0, 0, SEEK_CUR) == 0
            return isNew ? "/dev/stdin" : nil
        #else
            // There, opening it again would share its place.
            return nil
        #endif
    }()

    /// Of the next line, in bytes from the start of the file.
    package var offset: Int { start + position }

    private static func failure(_ path: String) -> RunError { .cannotRead(path == "-" ? "standard input" : path) }

    /// The next line without its newline; `nil` at the end. A last line needs no newline.
    package func next() throws(RunError) -> [UInt8]? {
        var searched = position
        while true {
            if let end = Self.newline(in: buffer, from: searched) {
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

    private static func newline(in buffer: [UInt8], from start: Int) -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard start < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + start, 0x0A, bytes.count - start)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    /// Moves what is left to the buffer's start and reads on; false at the end.
    private func fill() throws(RunError) -> Bool {
        guard !isAtEnd else { return false }
        buffer.removeFirst(position)
        start += position
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
