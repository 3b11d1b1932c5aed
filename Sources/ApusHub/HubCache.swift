import ApusJSON

/// The cache that huggingface_hub and all that is built on it share: `models--ORG--NAME/{blobs,refs,snapshots}`.
package struct HubCache: Sendable {
    package let path: String

    package init(path: String) { self.path = path }

    package init(_ environment: HubEnvironment) {
        let path = environment.cachePath
        self.path = path.isEmpty ? "." : path
    }

    private static let prefix = "models--"

    /// The files of a repository at one commit.
    package struct Snapshot: Sendable {
        package let repository: String
        package let commit: String
        package let directory: String
        /// Branches and tags that lead here.
        package let names: [String]

        /// A revision that leads here.
        package var revision: String {
            names.contains(HubName.defaultRevision) ? HubName.defaultRevision : names.first ?? commit
        }
    }

    package func folder(of repository: String) -> String {
        "\(path)/\(Self.prefix)" + repository.split(separator: "/").joined(separator: "--")
    }

    // MARK: One model

    /// Where the snapshot of a name lies. Links are for whoever opens its files to follow.
    ///
    /// A revision is looked up as huggingface_hub does without a network: 40 hexadecimal digits are a commit; all else,
    /// shortened commits too, is what an earlier download noted in `refs`.
    ///
    /// Throws `HubError` (`.notCached`) with the command that fetches it.
    package func snapshot(of name: HubName) throws(HubError) -> Snapshot {
        let folder = folder(of: name.repository)
        guard SmallFile.isDirectory(folder) else {
            throw Self.missing(name, "is no directory, and the cache \(path) holds no model of that name")
        }
        let revision = name.revision ?? HubName.defaultRevision
        guard let commit = Self.isCommit(revision) ? revision : reference(revision, in: folder) else {
            let known = snapshots(of: name.repository).map(\.revision)
            let others = known.isEmpty ? "" : "; it has " + known.map { "@\($0)" }.joined(separator: ", ")
            throw Self.missing(name, "the cache \(path) has no revision \(revision.quoted) of it\(others)")
        }
        let directory = "\(folder)/snapshots/\(commit)"
        guard SmallFile.isDirectory(directory) else {
            throw Self.missing(name, "the cache \(path) has no snapshot \(commit) of it")
        }
        return Snapshot(repository: name.repository, commit: commit, directory: directory, names: [])
    }

    static func missing(_ name: HubName, _ reason: String) -> HubError {
        HubError(code: .notCached, message: "\(name.repository): \(reason); fetch it with: apus download \(name)")
    }

    package static func isCommit(_ text: String) -> Bool {
        text.utf8.count == 40 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private func reference(_ revision: String, in folder: String) -> String? {
        guard let text = SmallFile.text("\(folder)/refs/\(revision)", atMost: 4096) else { return nil }
        let commit = text.filter { !$0.isWhitespace }
        return HubName.isPath(commit) && !commit.contains("/") ? commit : nil
    }

    // MARK: All of them

    /// In order, those with a snapshot.
    package var repositories: [String] {
        SmallFile.names(in: path).filter { $0.hasPrefix(Self.prefix) }.map { folder in
            // No name of a hub has two dashes in a row.
            let name = folder.dropFirst(Self.prefix.count)
            var text = ""
            var rest = name[...]
            while let dashes = rest.firstRange(of: "--") {
                text += rest[..<dashes.lowerBound] + "/"
                rest = rest[dashes.upperBound...]
            }
            return text + rest
        }
    }

    package func snapshots(of repository: String) -> [Snapshot] {
        let folder = folder(of: repository)
        var names: [String: [String]] = [:]
        for name in SmallFile.files(below: "\(folder)/refs") where !name.hasSuffix(".tmp") {
            if let commit = reference(name, in: folder) { names[commit, default: []].append(name) }
        }
        return SmallFile.names(in: "\(folder)/snapshots").compactMap { commit in
            let directory = "\(folder)/snapshots/\(commit)"
            guard SmallFile.isDirectory(directory) else { return nil }
            return Snapshot(
                repository: repository, commit: commit, directory: directory, names: names[commit]?.sorted() ?? [])
        }
    }
}
