import ApusJSON

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A regular file mapped read-only into memory for as long as the object lives.
///
/// Opening never blocks, not even on a pipe. A file that another process shortens afterwards cannot be defended
/// against: reading past its new end ends the process with SIGBUS, as for every program that maps files.
package final class MappedFile: Sendable {
    package let path: String

    /// Tells the file's contents from those of any other: device, inode, size, and when they were last changed.
    package let identity: String

    /// The whole file. Valid only while this object lives.
    package nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    /// Throws `CheckpointError` (`.notFound`, `.unreadable`) with the system's reason.
    package init(path: String) throws(CheckpointError) {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw .notFound("\(path.quoted) is not a file name") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.failure(path, "cannot be opened", errno) }
        defer { close(descriptor) }

        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure(path, "cannot be examined", errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .unreadable("\(path): is a directory, not a file") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable("\(path): is not a regular file") }

        let count = Int(status.st_size)
        self.path = path
        #if canImport(Darwin)
            let changed = status.st_mtimespec
        #else
            let changed = status.st_mtim
        #endif
        identity = "\(status.st_dev):\(status.st_ino) \(status.st_size) \(changed.tv_sec).\(changed.tv_nsec)"
        guard count > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let address, address != MAP_FAILED else { throw Self.failure(path, "cannot be mapped", errno) }
        bytes = UnsafeRawBufferPointer(start: address, count: count)
    }

    deinit {
        if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
    }

    /// Takes the whole pages of a range out of this process. They stay in the system's cache, and come back when they are
    /// touched.
    package func release(_ range: Range<Int>) {
        guard let address = bytes.baseAddress else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let first = (range.lowerBound + page - 1) / page * page
        let end = range.upperBound == bytes.count ? range.upperBound : range.upperBound / page * page
        guard page > 0, first < end else { return }
        madvise(UnsafeMutableRawPointer(mutating: address + first), end - first, MADV_DONTNEED)
    }

    private static func failure(_ path: String, _ what: String, _ number: Int32) -> CheckpointError {
        let reason = String(cString: strerror(number))
        return number == ENOENT || number == ENOTDIR
            ? .notFound("\(path): \(reason.lowercased())") : .unreadable("\(path): \(what): \(reason.lowercased())")
    }
}
