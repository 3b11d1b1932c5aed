#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A directory only its owner may enter, with one socket in it, for the life of one job.
///
/// Its name is drawn by the system, so two jobs never share one.
struct PrivateDirectory: Sendable {
    let path: String
    var socket: String { path + "/s" }

    /// The longest path a Unix socket may have, with its closing zero, on every system we know.
    private static let socketPathLimit = 104

    /// Under `TMPDIR`, or under /tmp where that is unset or too long for a socket's path.
    /// Throws `DistributedError` (`.launch`) if neither can be written.
    init() throws(DistributedError) {
        var failure = ""
        for parent in [Platform.environmentVariable("TMPDIR"), "/tmp"].compactMap({ $0 }) where !parent.isEmpty {
            let template = parent + "/apus-XXXXXX"
            guard template.utf8.count + 2 < Self.socketPathLimit else { continue }
            var bytes = template.utf8CString
            let made = bytes.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
            }
            if let made {
                path = made
                return
            }
            failure = ": \(parent): \(Platform.describe(errno))"
        }
        throw .launch("no private directory could be made\(failure)")
    }

    func remove() {
        unlink(socket)
        rmdir(path)
    }
}
