package import ApusHub
import Synchronization

/// Brings the files of a model into the cache of this machine, where huggingface_hub finds them too.
///
/// What is there is not asked for again, what is half there goes on where it ended, and nothing has its name before its digest
/// is known to be right. So a download can end at any moment and be begun again at any other.
package struct HubDownload: Sendable {
    private let environment: HubEnvironment
    private let cache: HubCache
    private let client: HubClient
    private let progress: DownloadProgress
    private let remark: @Sendable (String) -> Void

    /// Files on their way at once.
    private static let lanes = 4

    /// - Parameters:
    ///   - transport: what speaks HTTP.
    ///   - remark: is told what is waited for.
    /// - Throws: `HubError` for an environment that names no hub.
    package init(
        _ environment: HubEnvironment, transport: any HTTPTransport, patience: Patience = Patience(),
        progress: DownloadProgress = DownloadProgress(), remark: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(HubError) {
        self.environment = environment
        self.progress = progress
        self.remark = remark
        cache = HubCache(environment)
        client = try HubClient(environment, transport: transport, patience: patience, remark: remark)
    }

    /// Fetches what is missing.
    ///
    /// - Parameter include: patterns of the files that are wanted; by default those that Apus reads.
    /// - Returns: the snapshot's directory.
    /// - Throws: `HubError`, or `CancellationError`.
    package func fetch(_ name: HubName, include: [String] = []) async throws -> String {
        let listing = try await client.listing(of: name)
        let folder = CacheFolder(cache, name.repository, makesLinks: !environment.disablesLinks)
        try folder.prepare()
        let blob = BlobDownload(
            client: client, folder: folder, name: name, commit: listing.commit, progress: progress, remark: remark)
        let wanted = try WantedFiles(listing.files.map(\.name), of: name, include: include)
        let sizes = Dictionary(listing.files.map { ($0.name, $0.byteCount) }, uniquingKeysWith: { $1 })
        try await fetch(wanted.files, blob, sizes)
        let directory = folder.snapshotPath(listing.commit)
        if wanted.endsWithIndex {
            let index = "\(directory)/\(SnapshotFiles.index)"
            guard let shards = SnapshotFiles.shards(inIndex: index) else {
                throw HubError(code: .damaged, message: "\(index): names no files of weights")
            }
            if let missing = shards.first(where: { sizes[$0] == nil }) {
                throw HubError(
                    code: .notFound,
                    message: "\(name): \(SnapshotFiles.index) names \(missing), which the hub does not have")
            }
            try await fetch(shards, blob, sizes)
        }
        // Last, so that a name leads to what it led to before until the new files are all there.
        try folder.refer(name.revision ?? HubName.defaultRevision, to: listing.commit)
        return directory
    }

    /// Some at a time, in their order. The first error ends all.
    private func fetch(_ files: [String], _ blob: BlobDownload, _ sizes: [String: Int?]) async throws {
        progress.change { state in
            state.files += files.count
            state.bytes += files.reduce(0) { $0 + ((sizes[$1] ?? nil) ?? 0) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            var rest = files[...]
            func begin() {
                guard let file = rest.popFirst() else { return }
                let size = sizes[file] ?? nil
                group.addTask {
                    try await blob.fetch(file, announced: size)
                    progress.change { $0.filesDone += 1 }
                }
            }
            for _ in 0..<Self.lanes { begin() }
            while try await group.next() != nil { begin() }
        }
    }
}
