#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A directory only its owner may enter, with one socket in it, for the life of one job.
///
/// Its name is drawn before it is made, so that a guardian can know of it first: whenever this process dies, somebody is
/// there to remove it.
struct PrivateDirectory: Sendable {
    let path: String
    var socket: String { path + "/s" }

    /// The longest path a Unix socket may have, with its closing zero, on every system we know.
    private static let socketPathLimit = 104

    /// Under `TMPDIR`, or under /tmp where that is unset, no directory that may be written, or too long for a socket's
    /// path. The path is absolute: ranks may change their directory. Throws `DistributedError` (`.launch`) if neither can be written.
    init() throws(DistributedError) {
        let name = "/apus-" + String(UInt64.random(in: 0 ... .max), radix: 36)
        var failure = ""
        for named in [Platform.environmentVariable("TMPDIR"), "/tmp"].compactMap({ $0 }) where !named.isEmpty {
            guard let parent = Self.absolute(named) else { continue }
            guard (parent + name).utf8.count + 3 <= Self.socketPathLimit else { continue }
            if access(parent + "/", W_OK | X_OK) == 0 {
                path = parent + name
                return
            }
            failure = ": \(parent): \(Platform.describe(errno))"
        }
        throw .launch("no private directory could be made\(failure)")
    }

    /// `nil` if there is no such directory.
    private static func absolute(_ path: String) -> String? {
        if path.hasPrefix("/") { return path }
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Throws `DistributedError` (`.launch`), also if there is one of that name already.
    func make() throws(DistributedError) {
        guard mkdir(path, 0o700) == 0 else {
            throw .launch("no private directory could be made: \(path): \(Platform.describe(errno))")
        }
    }

    func remove() {
        unlink(socket)
        rmdir(path)
    }
}
