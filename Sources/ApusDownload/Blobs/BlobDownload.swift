import ApusHub

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Brings single files of one commit into the cache.
struct BlobDownload: Sendable {
    let client: HubClient
    let folder: CacheFolder
    let name: HubName
    let commit: String
    let progress: DownloadProgress
    let remark: @Sendable (String) -> Void

    private static let lockInterval = Duration.milliseconds(100)
    private static let patientChecks = 100

    /// - Parameter announced: what a list of files said of its size.
    func fetch(_ file: String, announced: Int?) async throws {
        let path = "\(folder.snapshotPath(commit))/\(file)"
        // A commit never changes, so there is nothing to ask.
        if let size = SmallFile.byteCount(path), announced == nil || announced == size {
            return progress.change { $0.bytesDone += size }
        }
        var facts = try await client.announcement(of: file, commit, name)
        if announced == nil { progress.change { [facts] in $0.bytes += facts.byteCount ?? 0 } }
        facts.byteCount = facts.byteCount ?? announced
        var mayTake = true
        while true {
            do {
                return try await fetch(file, facts, mayTake: mayTake)
            } catch is PartialFile.Lost {
                // Another process has taken it for left, so it does not count on locks: from here on, apart from it.
                mayTake = false
            }
        }
    }

    private func fetch(_ file: String, _ facts: HubFile, mayTake: Bool) async throws {
        let blob = folder.blobPath(facts.etag)
        func isThere() -> Bool { SmallFile.byteCount(blob).map { facts.byteCount ?? $0 == $0 } ?? false }
        let lock = try await lock(file, facts.etag, isThere)
        defer { withExtendedLifetime(lock) {} }
        if isThere() {
            progress.change { $0.bytesDone += facts.byteCount ?? 0 }
            return try folder.show(facts.etag, as: file, of: commit, isNew: false)
        }
        for isLast in [false, true] {
            let partial = try PartialFile.open(
                facts.etag, in: folder.blobs, atMost: facts.byteCount, mayTake: mayTake && !isLast,
                mayTakeYoung: lock?.excludesOthers ?? false)
            try checkRoom(for: (facts.byteCount ?? 0) - partial.byteCount, file)
            progress.change { $0.bytesDone += partial.byteCount }
            let digest = try await complete(partial, file, facts)
            if let expected = facts.digest.map({ _ in facts.etag }), let digest, digest != expected {
                partial.remove()
                progress.change { $0.bytesDone -= partial.byteCount }
                // What others began may have been damaged long ago, and what came anew on its way here.
                if !isLast { continue }
                throw HubError(
                    code: .damaged,
                    message:
                        "\(name): \(file): what came has the digest \(digest), not \(expected) as the hub announced")
            }
            try partial.finish(as: blob)
            return try folder.show(facts.etag, as: file, of: commit, isNew: true)
        }
    }

    /// Waits while another process fetches the blob; `nil` when it is there.
    private func lock(_ file: String, _ etag: String, _ isThere: () -> Bool) async throws -> BlobLock? {
        var checks = 0
        while true {
            if let lock = BlobLock.take(folder.lockPath(etag)) { return lock }
            if isThere() { return nil }
            checks += 1
            if checks == Self.patientChecks {
                remark("\(name): another process fetches \(file); waiting for it (\(folder.lockPath(etag)))")
            }
            try await Task.sleep(for: Self.lockInterval)
        }
    }

    private func checkRoom(for byteCount: Int, _ file: String) throws(HubError) {
        var status = statvfs()
        guard statvfs(folder.blobs, &status) == 0 else { return }
        let free = Int(
            clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
        guard byteCount > free else { return }
        throw HubError(
            code: .cache,
            message: "\(name): \(file) needs \(byteCount) more bytes, but \(folder.blobs) has room for \(free)")
    }

    // MARK: Bytes

    /// Gets all that is missing. The digest of the whole; `nil` where nothing is promised of it.
    private func complete(_ partial: PartialFile, _ file: String, _ facts: HubFile) async throws -> String? {
        // A digest of git begins with the size, so without one it is taken in the end.
        var running: BlobDigest? =
            partial.isTakenOver || facts.byteCount == nil
            ? nil : BlobDigest(facts.digest, byteCount: facts.byteCount ?? 0)
        var attempt = 1
        var size = facts.byteCount
        while size == nil || partial.byteCount < size ?? 0 || size == 0 {
            let before = partial.byteCount
            do {
                try await client.get(file, commit, name, from: before) { head in
                    size = try begin(partial, head, facts, &running)
                    return true
                } part: { bytes in
                    guard partial.byteCount + bytes.count <= size ?? .max else {
                        throw HubError(
                            code: .damaged, message: "\(name): \(file): more came than the \(size ?? 0) bytes announced"
                        )
                    }
                    try partial.append(bytes)
                    running?.add(bytes)
                    progress.change {
                        $0.bytesDone += bytes.count
                        $0.bytesFetched += bytes.count
                    }
                }
                if size == nil || size == partial.byteCount { break }
                throw HTTPFailure("the connection ended \((size ?? 0) - partial.byteCount) bytes early")
            } catch let busy as HubClient.Busy {
                try await client.wait(after: &attempt, for: busy.head, name)
            } catch let failure as HTTPFailure {
                if partial.byteCount > before { attempt = 1 }
                try await client.wait(after: &attempt, for: failure, name)
            }
        }
        return try running?.finished() ?? (facts.digest == nil ? nil : partial.digest(facts.digest))
    }

    /// Takes up an answer: whether it goes on behind what is there, or begins anew. The size of the whole, where it is known.
    private func begin(
        _ partial: PartialFile, _ head: HTTPHead, _ facts: HubFile, _ running: inout BlobDigest?
    ) throws -> Int? {
        if head.status == 206, let range = ContentRange(head["Content-Range"] ?? ""), range.start == partial.byteCount,
            range.total == nil || facts.byteCount == nil || range.total == facts.byteCount
        {
            return facts.byteCount ?? range.total
        }
        if partial.byteCount > 0 {
            // The server has no ranges, or another file than before.
            let count = partial.byteCount
            try partial.empty()
            progress.change { $0.bytesDone -= count }
            if running != nil { running = BlobDigest(facts.digest, byteCount: facts.byteCount ?? 0) }
        }
        guard head.status == 200 else { throw HTTPFailure("the hub has no such range") }
        return facts.byteCount ?? head["Content-Length"].flatMap { Int($0) }
    }
}

/// `bytes 100-199/200`.
struct ContentRange: Equatable {
    let start: Int
    let total: Int?

    init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 2, words[0] == "bytes" else { return nil }
        let parts = words[1].split(separator: "/")
        guard parts.count == 2, let start = parts[0].split(separator: "-").first.flatMap({ Int($0) }) else {
            return nil
        }
        self.start = start
        total = Int(parts[1])
    }
}
