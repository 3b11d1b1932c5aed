import ApusHub

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A blob on its way: `ETAG.XXXXXXXX.incomplete`, which only its owner knows by that name.
///
/// Who finds one that was left renames it to a name of its own, and is the owner from then on. An owner who is still there
/// notices before its next write that the name is gone, and leaves the file alone; what both may have written is the same
/// bytes at the same places.
final class PartialFile {
    /// The name was taken over by another process.
    struct Lost: Error {}

    /// What nobody has written to for so long was left, whether or not locks tell.
    private static let ageOfLeftOnes: time_t = 60
    private static let ending = ".incomplete"

    private let descriptor: Int32
    let path: String
    /// Bytes that are there.
    private(set) var byteCount: Int
    /// Whether somebody else began it, so that its bytes are to be read before they are believed.
    let isTakenOver: Bool

    private init(_ descriptor: Int32, _ path: String, byteCount: Int, isTakenOver: Bool) {
        (self.descriptor, self.path, self.byteCount, self.isTakenOver) = (descriptor, path, byteCount, isTakenOver)
    }

    deinit { close(descriptor) }

    /// The largest that was left of a blob, or a new one.
    ///
    /// - Parameters:
    ///   - mayTakeYoung: whether one that was written to a moment ago cannot have an owner any more, since a lock says so.
    ///   - mayTake: whether any is taken over.
    /// - Throws: `HubError` (`.cache`).
    static func open(
        _ etag: String, in blobs: String, atMost size: Int?, mayTake: Bool, mayTakeYoung: Bool
    ) throws(HubError) -> PartialFile {
        let own = "\(blobs)/\(etag).\(randomDigits)\(ending)"
        let left = mayTake ? left(of: etag, in: blobs, atMost: size, mayTakeYoung: mayTakeYoung) : []
        for found in left {
            guard rename(found, own) == 0 else { continue }
            let descriptor = systemOpen(own, O_RDWR)
            var status = stat()
            guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
                if descriptor >= 0 { close(descriptor) }
                continue
            }
            // Others of the same blob are of no more use.
            if mayTakeYoung { for other in left where other != found { unlink(other) } }
            return PartialFile(descriptor, own, byteCount: Int(status.st_size), isTakenOver: true)
        }
        let descriptor = systemOpen(own, O_RDWR | O_CREAT | O_EXCL)
        guard descriptor >= 0 else { throw .unwritable(own) }
        return PartialFile(descriptor, own, byteCount: 0, isTakenOver: false)
    }

    /// Largest first. Names of older versions of huggingface_hub have no digits.
    private static func left(of etag: String, in blobs: String, atMost size: Int?, mayTakeYoung: Bool) -> [String] {
        var found: [(path: String, byteCount: Int)] = []
        for name in SmallFile.names(in: blobs) where name.hasPrefix(etag + ".") && name.hasSuffix(ending) {
            let middle = name.dropFirst(etag.utf8.count + 1).dropLast(ending.utf8.count)
            guard middle.isEmpty || (middle.utf8.count == 8 && middle.allSatisfy(\.isHexDigit)) else { continue }
            var status = stat()
            guard lstat("\(blobs)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                mayTakeYoung || time(nil) - status.modified > ageOfLeftOnes, Int(status.st_size) <= size ?? .max
            else { continue }
            found.append(("\(blobs)/\(name)", Int(status.st_size)))
        }
        return found.sorted { $0.byteCount > $1.byteCount }.map(\.path)
    }

    private static var randomDigits: String {
        let digits = String(UInt32.random(in: 0 ... .max), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    // MARK: Bytes

    /// Adds bytes to its end. Throws ``Lost``, or `HubError` (`.cache`) with the system's reason.
    func append(_ bytes: UnsafeRawBufferPointer) throws {
        guard BlobLock.isSame(descriptor, path) else { throw Lost() }
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(byteCount))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw HubError.unwritable(path) }
            done += count
            byteCount += count
        }
    }

    /// Begins anew.
    func empty() throws {
        guard BlobLock.isSame(descriptor, path) else { throw Lost() }
        guard ftruncate(descriptor, 0) == 0 else { throw HubError.unwritable(path) }
        byteCount = 0
    }

    /// Of what is on the disk, with all that `digest` has been given before.
    func digest(_ kind: BlobDigest.Kind?) throws(HubError) -> String? {
        var digest = BlobDigest(kind, byteCount: byteCount)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        var offset = 0
        while offset < byteCount {
            let count = pread(descriptor, buffer.baseAddress, min(buffer.count, byteCount - offset), off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .unwritable(path) }
            digest.add(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += count
        }
        return digest.finished()
    }

    /// Gives it the name of its blob. Throws ``Lost``, or `HubError` (`.cache`).
    func finish(as blob: String) throws {
        guard BlobLock.isSame(descriptor, path) else { throw Lost() }
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else { throw HubError.unwritable(path) }
        guard rename(path, blob) == 0 else {
            if errno == ENOENT { throw Lost() }
            throw HubError.unwritable(blob)
        }
    }

    func remove() {
        if BlobLock.isSame(descriptor, path) { unlink(path) }
    }
}

private func systemOpen(_ path: String, _ flags: Int32) -> Int32 { open(path, flags | O_CLOEXEC, 0o666) }

extension stat {
    fileprivate var modified: time_t {
        #if canImport(Darwin)
            st_mtimespec.tv_sec
        #else
            st_mtim.tv_sec
        #endif
    }
}
