import ApusJSON

/// From what a person names a model by to where it lies on this machine. Never asks the network.
package struct ModelPath: Sendable {
    /// What of a model is needed, and so must be there.
    package enum Need: Sendable {
        case tokenizer
        /// Its `config.json`, or whatever a GGUF file says.
        case configuration
        case weights
    }

    private let cache: HubCache

    package init(cache: HubCache = HubCache(.current)) { self.cache = cache }

    /// The local path of a model: a checkpoint's directory, or a `.gguf` file (of one in parts, the first).
    ///
    /// What lies at a path of that name comes first; of a directory that holds GGUF files and no other weights, it is the
    /// one that a hub's name without more would mean. Otherwise the name is looked up in the cache. What can be no name of a
    /// hub comes back as it is, for whoever opens it to say what is wrong.
    ///
    /// Throws `HubError`: `.notCached` with the command that fetches what is missing, `.ambiguous` naming the files of which
    /// one must be chosen.
    package func resolve(_ argument: String, for need: Need = .weights) throws(HubError) -> String {
        if SmallFile.exists(argument) {
            guard SmallFile.isDirectory(argument), let file = try gguf(.standard, in: argument, named: argument) else {
                return argument
            }
            return file
        }
        guard let name = Self.name(argument) else { return argument }
        let snapshot: HubCache.Snapshot
        do {
            snapshot = try cache.snapshot(of: name)
        } catch  where Self.isRatherPath(argument) {
            return argument
        }
        if let file = try gguf(name.choice, in: snapshot.directory, named: name.repository, as: name) { return file }
        guard name.choice == .standard else {
            let others = GGUFFiles(SmallFile.files(below: snapshot.directory)).models.map(\.name)
            throw HubCache.missing(
                name,
                "the snapshot in the cache has no such GGUF file"
                    + (others.isEmpty ? "" : ", only " + others.joined(separator: ", ")))
        }
        if let file = SnapshotFiles(directory: snapshot.directory).missing(for: need) {
            throw HubCache.missing(name, "the snapshot in the cache lacks \(file)")
        }
        return snapshot.directory
    }

    /// What a text means as a hub's name; `nil` for paths.
    package static func name(_ argument: String) -> HubName? {
        guard let first = argument.first, !"/.~".contains(first) else { return nil }
        return try? HubName(argument)
    }

    /// A file that is not there, more likely than a model that nobody has fetched.
    private static func isRatherPath(_ argument: String) -> Bool {
        let isFile = [".json", ".gguf", ".safetensors"].contains(where: argument.hasSuffix)
        return isFile && argument.utf8.filter { $0 == UInt8(ascii: "/") }.count < 2
    }

    /// - Parameter name: of the hub, where the directory is a snapshot.
    private func gguf(
        _ choice: GGUFChoice, in directory: String, named repository: String, as name: HubName? = nil
    ) throws(HubError) -> String? {
        let files = SmallFile.files(below: directory, depth: name == nil ? 0 : 8)
        guard choice != .standard || !files.contains(where: SnapshotFiles.isOtherWeight) else { return nil }
        guard let model = try GGUFFiles(files).picked(choice, of: repository) else { return nil }
        guard model.isComplete else {
            let reason = "\(model.parts.count) of the \(model.count) parts of \(model.name) are there"
            guard let name else { throw HubError(code: .notCached, message: "\(repository): only \(reason)") }
            throw HubCache.missing(name, "only \(reason)")
        }
        return "\(directory)/\(model.name)"
    }
}
