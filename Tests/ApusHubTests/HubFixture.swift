import ApusHub
import ApusJSON
import ApusTestSupport
import Foundation

/// What huggingface_hub answered (Tests/Fixtures/Hub/make.py), and caches that are made up.
enum HubFixture {
    static func expected() throws -> JSONValue {
        try readFile(fixtures + "/Hub/expected.json").withUnsafeBytes { try JSONValue(parsing: $0) }
    }

    static let commit = "0123456789abcdef0123456789abcdef01234567"
}

/// A cache in a folder of its own.
struct MadeUpCache {
    let directory: TemporaryDirectory
    var cache: HubCache { HubCache(path: directory.path) }
    var paths: ModelPath { ModelPath(cache: cache) }

    init() throws { directory = try TemporaryDirectory() }

    func snapshot(_ repository: String, _ commit: String = HubFixture.commit) -> String {
        cache.folder(of: repository) + "/snapshots/" + commit
    }

    /// Adds a file as a link to a blob, or plain.
    func add(
        _ repository: String, _ file: String, _ text: String = "{}", commit: String = HubFixture.commit,
        plain: Bool = false
    ) throws {
        let manager = FileManager.default
        let path = snapshot(repository, commit) + "/" + file
        let folder = (path as NSString).deletingLastPathComponent
        try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard !plain else { return try Data(text.utf8).write(to: URL(filePath: path)) }
        let blobs = cache.folder(of: repository) + "/blobs"
        try manager.createDirectory(atPath: blobs, withIntermediateDirectories: true)
        let blob = "\(blobs)/\(UUID().uuidString)"
        try Data(text.utf8).write(to: URL(filePath: blob))
        try manager.createSymbolicLink(atPath: path, withDestinationPath: blob)
    }

    func refer(_ repository: String, _ name: String, to commit: String = HubFixture.commit) throws {
        let path = cache.folder(of: repository) + "/refs/" + name
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(commit.utf8).write(to: URL(filePath: path))
    }
}
