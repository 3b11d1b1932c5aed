import ApusJSON
import FoundationEssentials

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A checkpoint directory in the making: it has its name only once it is complete. Until then it lies beside that name,
/// hidden, and vanishes with this object.
package final class StagedDirectory {
    /// Where it shall be.
    package let target: String
    /// Where it is made.
    package let path: String
    private let replaces: Bool
    private var isCommitted = false

    /// - Parameters:
    ///   - source: the checkpoint that is read meanwhile, which must not be replaced.
    ///   - replaces: whether a checkpoint that has the name already gives way to this one, at the end.
    /// - Throws: `CheckpointError` (`.exists`) if the name is taken, `.unwritable`.
    package init(for target: String, from source: String, replaces: Bool) throws(CheckpointError) {
        var name = target
        while name.count > 1, name.hasSuffix("/") { name.removeLast() }
        let last = name.split(separator: "/").last ?? ""
        guard !last.isEmpty, last != ".", last != "..", !name.utf8.contains(0) else {
            throw .unwritable("\(target.quoted) is no name for a new directory")
        }
        self.target = name
        self.replaces = replaces
        try Self.check(name, source, replaces)
        // Not the process's number: on a common disk, another machine's process may have the same.
        path = "\(name.dropLast(last.count)).\(last).\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        guard mkdir(path, 0o777) == 0 else { throw .unwritable(name, errno) }
    }

    deinit { if !isCommitted { try? FileManager.default.removeItem(atPath: path) } }

    private static func check(_ target: String, _ source: String, _ replaces: Bool) throws(CheckpointError) {
        var status = stat()
        guard lstat(target, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .exists("\(target): is there already, and no directory") }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: target)) ?? [""]
        guard !names.isEmpty else { return }
        guard replaces else { throw .exists("\(target): is there already; --force replaces it") }
        guard names.contains("config.json") else {
            throw .exists("\(target): is there already and no checkpoint, so it is not replaced")
        }
        let (place, origin) = (Self.real(target), Self.real(source))
        guard origin != place, !origin.hasPrefix(place + "/") else {
            throw .exists("\(target): holds the checkpoint that is read, so it is not replaced")
        }
    }

    private static func real(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Gives the directory its name. Throws `CheckpointError` (`.unwritable`) and leaves what was there.
    package func commit() throws(CheckpointError) {
        let previous = path + ".previous"
        var hasPrevious = false
        Self.synchronize(path)
        // Renaming onto an empty directory takes its place.
        if rename(path, target) != 0 {
            guard replaces, errno == ENOTEMPTY || errno == EEXIST else { throw .unwritable(target, errno) }
            guard rename(target, previous) == 0 else { throw .unwritable(target, errno) }
            hasPrevious = true
            if rename(path, target) != 0 {
                let reason = errno
                _ = rename(previous, target)
                throw .unwritable(target, reason)
            }
        }
        isCommitted = true
        Self.synchronize(target.lastIndex(of: "/").map { String(target[...$0]) } ?? ".")
        if hasPrevious { try? FileManager.default.removeItem(atPath: previous) }
    }

    /// Waits until the system has a directory's names on its disk, where it can: without that, a machine that goes down might
    /// come back without the directory, or with a part of it.
    private static func synchronize(_ directory: String) {
        let descriptor = open(directory, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    // MARK: Small files

    package func write(_ name: String, _ text: String) throws(CheckpointError) {
        let file = try OutputFile(creating: path + "/" + name)
        try file.write(Array(text.utf8), at: 0)
        try file.finish()
    }

    package func copy(_ file: String, as name: String) throws(CheckpointError) {
        let source = try MappedFile(path: file)
        defer { withExtendedLifetime(source) {} }
        let target = try OutputFile(creating: path + "/" + name)
        try target.write(source.bytes, at: 0)
        try target.finish()
    }
}
