#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The bytes of a file, a piece at a time.
package enum FileContents {
    /// A whole file of text, or its beginning, `nil` if there is none. Throws `RunError` for what cannot be read or is no UTF-8.
    package static func text(ifPresent path: String, atMost limit: Int = .max) throws(RunError) -> String? {
        guard access(path, F_OK) == 0 else { return nil }
        var bytes: [UInt8] = []
        try read(path) { piece in
            bytes.append(contentsOf: piece)
            return bytes.count < limit
        }
        if bytes.count > limit {
            // A character that is cut stays out: it has no more than three bytes behind its first.
            bytes.removeLast(bytes.count - limit)
            let last = bytes.suffix(4).lastIndex { $0 & 0xC0 != 0x80 } ?? bytes.endIndex
            bytes.removeLast(bytes.endIndex - last)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw RunError("\(path) is not UTF-8") }
        return text
    }

    /// Writes a file that there is none of yet. Throws `RunError`.
    package static func create(_ path: String, _ bytes: [UInt8]) throws(RunError) {
        let file = try OutputDescriptor(opening: path, flags: O_WRONLY | O_CREAT | O_EXCL)
        defer { file.close() }
        try file.write(bytes)
    }

    /// Calls the body with each piece until it returns false. Throws `RunError` for a file that cannot be read, and what
    /// the body throws.
    static func read(
        _ path: String, _ body: (UnsafeRawBufferPointer) throws(RunError) -> Bool
    ) throws(RunError) {
        let file = try OutputDescriptor(opening: path, flags: O_RDONLY)
        defer { file.close() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = systemRead(file.number, buffer)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw RunError.cannotRead(path) }
            guard count > 0, try body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return }
        }
    }
}

/// Outside the type, where its function of that name would hide it.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    read(descriptor, buffer.baseAddress, buffer.count)
}
