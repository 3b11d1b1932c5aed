import ApusHub

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A repository's part of the cache, as it is written: everything appears under its name by a rename.
struct CacheFolder: Sendable {
    private let cache: String
    private let folder: String
    private let lockFolder: String
    private let makesLinks: Bool

    var blobs: String { "\(folder)/blobs" }

    init(_ cache: HubCache, _ repository: String, makesLinks: Bool) {
        self.cache = cache.path
        self.makesLinks = makesLinks
        folder = cache.folder(of: repository)
        let name = folder.split(separator: "/").last ?? ""
        lockFolder = "\(cache.path)/.locks/\(name)"
    }

    /// Makes the folders. Throws `HubError` (`.cache`).
    func prepare() throws(HubError) {
        try Self.makeFolder(blobs)
        try Self.makeFolder("\(folder)/snapshots")
        // Without locks it goes as well.
        try? Self.makeFolder(lockFolder)
        tagForBackups()
    }

    func lockPath(_ etag: String) -> String { "\(lockFolder)/\(etag).lock" }
    func blobPath(_ etag: String) -> String { "\(blobs)/\(etag)" }
    func snapshotPath(_ commit: String) -> String { "\(folder)/snapshots/\(commit)" }

    /// Programs for backups pass such folders over (https://bford.info/cachedir/).
    private func tagForBackups() {
        let path = "\(cache)/CACHEDIR.TAG"
        guard !SmallFile.exists(path) else { return }
        let text =
            "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of models, as huggingface_hub keeps it.\n"
            + "# What it holds can be fetched again.\n"
        try? Self.write(text, at: path)
    }

    // MARK: Names

    /// Notes which commit a branch or tag is.
    func refer(_ revision: String, to commit: String) throws(HubError) {
        guard revision != commit else { return }
        let path = "\(folder)/refs/\(revision)"
        guard SmallFile.text(path, atMost: 4096) != commit else { return }
        try Self.makeFolder(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
        try Self.write(commit, at: path)
    }

    /// Shows a blob as a file of a snapshot: as a link, or, where there can be none, in the blob's place or as a copy.
    func show(_ etag: String, as file: String, of commit: String, isNew: Bool) throws(HubError) {
        let path = "\(snapshotPath(commit))/\(file)"
        guard !SmallFile.isFile(path) else { return }
        let depth = file.utf8.filter { $0 == UInt8(ascii: "/") }.count
        try Self.makeFolder(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
        let draft = "\(path).\(String(UInt32.random(in: 0 ... .max), radix: 16)).tmp"
        let target = String(repeating: "../", count: depth + 2) + "blobs/\(etag)"
        if makesLinks, symlink(target, draft) == 0 {
            // Not until the link is seen to lead somewhere: some file systems take links and do not follow them.
            if SmallFile.isFile(draft) {
                guard rename(draft, path) == 0 else { throw Self.discarding(draft, path) }
                return
            }
            unlink(draft)
        }
        let blob = blobPath(etag)
        if isNew, rename(blob, path) == 0 { return }
        try Self.copy(blob, to: draft)
        guard rename(draft, path) == 0 else { throw Self.discarding(draft, path) }
    }

    private static func discarding(_ draft: String, _ path: String) -> HubError {
        let error = HubError.unwritable(path)
        unlink(draft)
        return error
    }

    // MARK: Files

    private static func makeFolder(_ path: String) throws(HubError) {
        guard !SmallFile.isDirectory(path) else { return }
        var place = path.first == "/" ? "/" : ""
        for part in path.split(separator: "/") {
            place += place.isEmpty || place == "/" ? String(part) : "/\(part)"
            if mkdir(place, 0o777) != 0, !SmallFile.isDirectory(place) { throw .unwritable(place) }
        }
    }

    private static func write(_ text: String, at path: String) throws(HubError) {
        let draft = "\(path).\(String(UInt32.random(in: 0 ... .max), radix: 16)).tmp"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .unwritable(path) }
        let bytes = Array(text.utf8)
        let isWritten = systemWrite(descriptor, bytes, bytes.count) == bytes.count
        let isClosed = close(descriptor) == 0
        guard isWritten, isClosed, rename(draft, path) == 0 else { throw discarding(draft, path) }
    }

    private static func copy(_ source: String, to target: String) throws(HubError) {
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw .unwritable(source) }
        defer { close(input) }
        let output = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard output >= 0 else { throw .unwritable(target) }
        defer { close(output) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = systemRead(input, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                if count < 0 { throw discarding(target, source) }
                return
            }
            var done = 0
            while done < count {
                let written = buffer.withUnsafeBytes {
                    systemWrite(output, $0.baseAddress.map { $0 + done }, count - done)
                }
                guard written > 0 else { throw discarding(target, target) }
                done += written
            }
        }
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
