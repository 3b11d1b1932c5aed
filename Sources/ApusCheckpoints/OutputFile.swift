#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A new file of a checkpoint that is being written.
final class OutputFile {
    let path: String
    private var descriptor: Int32

    /// Throws `CheckpointError` (`.unwritable`), as all of it does, with the system's reason.
    init(creating path: String) throws(CheckpointError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .unwritable(path, errno) }
    }

    deinit { if descriptor >= 0 { Self.systemClose(descriptor) } }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(CheckpointError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .unwritable(path, count == 0 ? ENOSPC : errno) }
            done += count
        }
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(CheckpointError) {
        try bytes.withUnsafeBytes { bytes in
            Result { () throws(CheckpointError) in try write(bytes, at: offset) }
        }.get()
    }

    /// Waits until the system has the file on its disk.
    func finish() throws(CheckpointError) {
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else { throw .unwritable(path, errno) }
        let status = Self.systemClose(descriptor)
        descriptor = -1
        guard status == 0 || errno == EINTR else { throw .unwritable(path, errno) }
    }

    @discardableResult
    private static func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }
}
