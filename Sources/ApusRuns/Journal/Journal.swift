import ApusDistributed
package import ApusJSON
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The file beside an output that holds every result as it came: what is in it is done, whatever happens next.
///
/// It is locked as long as it is open, so that one output has one run. What is appended is written at once, and on the disk
/// half a second later. A last line that was cut is written anew, and one that is not what was written counts for nothing.
package final class Journal: Sendable {
    private struct State {
        /// Bytes of whole records.
        var end = 0
        var isDirty = false
        var failure: RunError?
        var isClosed = false
    }

    package let path: String
    /// Why nothing keeps a second run off, if nothing does.
    package let remark: String?
    private let descriptor: Int32
    private let state = Mutex(State())

    /// Least seconds between two syncs.
    private static let syncMicroseconds: UInt32 = 400_000

    /// Makes or opens the file and locks it.
    /// Throws `RunError`: `.tryAgain` if another run has it, `.refused` if it is no regular file, or cannot be written.
    package init(path: String, of output: String) throws(RunError) {
        self.path = path
        (descriptor, remark) = try Self.open(path, output)
    }

    deinit { _ = systemClose(descriptor) }

    private static func open(_ path: String, _ output: String) throws(RunError) -> (Int32, String?) {
        while true {
            // Not through a link: it would lead out of this run's hands.
            let file = try OutputDescriptor(
                opening: path, flags: O_CREAT | O_RDWR | O_NOFOLLOW | O_NONBLOCK)
            guard let own = FileIdentity(descriptor: file.number), own.isRegular, own.links == 1 else {
                file.close()
                throw RunError("\(path): is there already and no journal of a run; it must be taken away first")
            }
            var remark: String?
            switch FileLock.take(file.number) {
            case .taken: break
            case .held:
                file.close()
                throw RunError("\(output): another run is writing it", code: .tryAgain)
            case .unavailable(let reason):
                remark = "\(path): its file system has no locks (\(reason)), so nothing keeps a second run off it"
            }
            // Whoever had it before may have taken it away meanwhile.
            if FileIdentity(path) == own { return (file.number, remark) }
            file.close()
        }
    }

    /// Whether the file holds nothing but the beginning of a first record: a run that was cut off as it began.
    package var isTornAtStart: Bool {
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0, count < bytes.count, !bytes[..<count].contains(0x0A) else { return false }
        let start = bytes[..<min(count, 16)]
        return start.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
            && bytes[..<count].dropFirst(16).starts(with: Array(" h {".utf8).prefix(max(count - 16, 0)))
    }

    package var byteCount: Int { FileIdentity(descriptor: descriptor)?.byteCount ?? 0 }

    /// Begins anew. Throws `RunError` if that cannot be written.
    package func begin(_ header: JSONObject) throws(RunError) {
        guard ftruncate(descriptor, 0) == 0 else { throw failure() }
        state.withLock { $0.end = 0 }
        try append([.header(header)])
        try sync()
    }

    /// Goes on behind so many bytes; what follows them is cut off.
    package func goOn(after end: Int) throws(RunError) {
        guard ftruncate(descriptor, off_t(end)) == 0 else { throw failure() }
        state.withLock { $0.end = end }
    }

    /// Appends records; they are the system's when this returns. Throws `RunError` (`.tryAgain` for a full disk), and the
    /// file ends with what was whole before.
    package func append(_ records: [JournalRecord]) throws(RunError) {
        guard !records.isEmpty else { return }
        let bytes = records.flatMap(\.bytes)
        let failure: RunError? = state.withLock { state in
            if let failure = state.failure { return failure }
            var written = 0
            while written < bytes.count {
                let count = bytes.withUnsafeBytes { buffer in
                    pwrite(
                        descriptor, buffer.baseAddress?.advanced(by: written), bytes.count - written,
                        off_t(state.end + written))
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    let failure = self.failure()
                    _ = ftruncate(descriptor, off_t(state.end))
                    state.failure = failure
                    return failure
                }
                written += count
            }
            state.end += written
            state.isDirty = true
            return nil
        }
        if let failure { throw failure }
    }

    /// Returns when all that was appended is on the disk. Throws `RunError` if it cannot be.
    package func sync() throws(RunError) {
        let isDirty = state.withLock { state in
            defer { state.isDirty = false }
            return state.isDirty
        }
        guard isDirty else { return }
        guard systemSync(descriptor) == 0 || errno == EINVAL || errno == EROFS else {
            let failure = failure()
            state.withLock { $0.failure = failure }
            throw failure
        }
    }

    /// Syncs again and again, on a thread of its own, until `close`.
    package func keepSynced() throws {
        try BackgroundThread.start { [weak self] in
            while true {
                usleep(Self.syncMicroseconds)
                guard let self, !self.state.withLock({ $0.isClosed }) else { return }
                try? self.sync()
            }
        }
    }

    package func close() { state.withLock { $0.isClosed = true } }

    /// Takes the file away.
    package func remove() { unlink(path) }

    private func failure() -> RunError { .cannotWrite(path) }
}

private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }

private func systemSync(_ descriptor: Int32) -> Int32 {
    #if canImport(Darwin)
        fsync(descriptor)
    #else
        fdatasync(descriptor)
    #endif
}
