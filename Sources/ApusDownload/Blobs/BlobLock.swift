import ApusHub

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The lock that huggingface_hub takes while it fetches a blob. It saves a second download and nothing more: on some network
/// file systems everyone gets it.
final class BlobLock {
    private let descriptor: Int32
    /// Whether somebody else would be refused it now, as far as one can tell from here.
    let excludesOthers: Bool

    private init(_ descriptor: Int32, excludesOthers: Bool) {
        self.descriptor = descriptor
        self.excludesOthers = excludesOthers
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// `nil` while another has it. Where there can be no lock at all, it counts as taken.
    static func take(_ path: String) -> BlobLock? {
        let descriptor = opened(path)
        guard descriptor >= 0 else { return BlobLock(-1, excludesOthers: false) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK || errno == EINTR
            close(descriptor)
            return isHeld ? nil : BlobLock(-1, excludesOthers: false)
        }
        // Python's library may have taken the file away while this one waited for it.
        guard isSame(descriptor, path) else {
            close(descriptor)
            return nil
        }
        let second = opened(path)
        let isExclusive = second >= 0 && flock(second, LOCK_EX | LOCK_NB) != 0
        if second >= 0 { close(second) }
        return BlobLock(descriptor, excludesOthers: isExclusive)
    }

    private static func opened(_ path: String) -> Int32 { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o664) }

    static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
        var (own, named) = (stat(), stat())
        return fstat(descriptor, &own) == 0 && lstat(path, &named) == 0 && own.st_ino == named.st_ino
            && own.st_dev == named.st_dev
    }
}
