import ApusDistributed
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file of results on its way: until it is complete it stands in `NAME.partial` beside its place, so that nothing that
/// stood under the name is lost to a run that fails.
package final class ResultFile: Sendable {
    package let output: OutputDescriptor
    /// Where results stand until the end.
    package let partial: String
    private let target: String
    private let sum = Mutex(Digest())

    /// Makes the partial file, empty, or empties one that is there.
    ///
    /// - Parameters:
    ///   - target: the place itself, no link to it.
    ///   - takesPartial: whether a partial file that holds something may be emptied.
    /// - Throws: `RunError` if something else stands there, or it cannot be written; `.tryAgain` if another run is at it.
    package init(at target: String, takesPartial: Bool) throws(RunError) {
        self.target = target
        partial = target + ".partial"
        // Not through a link: it would lead out of this run's hands.
        output = try OutputDescriptor(opening: partial, flags: O_CREAT | O_RDWR | O_NOFOLLOW | O_NONBLOCK)
        do {
            try claim(takesPartial)
        } catch {
            output.close()
            throw error
        }
    }

    private func claim(_ takesPartial: Bool) throws(RunError) {
        guard let own = FileIdentity(descriptor: output.number), own.isRegular, own.links == 1 else {
            throw RunError("\(partial): is there already and no file of results; it must be taken away first")
        }
        guard FileLock.take(output.number) != .held else {
            throw RunError("\(partial): another run is writing it", code: .tryAgain)
        }
        guard own.byteCount > 0 else { return }
        guard takesPartial else {
            throw RunError("\(partial): holds results of a run that did not end; --force gives them up")
        }
        guard ftruncate(output.number, 0) == 0 else { throw output.failure }
    }

    deinit { output.close() }

    package var byteCount: Int { FileIdentity(descriptor: output.number)?.byteCount ?? 0 }

    /// Of all that was written.
    package var digest: UInt64 { sum.withLock { $0.value } }

    /// Throws `RunError` if the bytes cannot be written.
    package func write(_ bytes: [UInt8]) throws(RunError) {
        try output.write(bytes)
        sum.withLock { $0.add(bytes) }
    }

    /// Takes the partial file away.
    package func remove() { unlink(partial) }

    /// Gives the file its name; it is then on its disk, and so is its name. Throws `RunError` if that fails, and the
    /// results stay where they are.
    package func finish() throws(RunError) {
        if let mode = FileIdentity(target)?.mode { fchmod(output.number, mode) }
        guard fsync(output.number) == 0 || errno == EINVAL || errno == EROFS, rename(partial, target) == 0 else {
            throw RunError.cannotWrite(target, ", results stay in \(partial)")
        }
        Self.syncFolder(of: target)
    }

    /// The name of a file that was made or renamed is on the disk when this returns, where the system can do that.
    package static func syncFolder(of path: String) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = fsync(descriptor)
        _ = close(descriptor)
    }
}
