import ApusJSON

/// `model.safetensors.index.json`: which file of the directory holds which tensor.
struct ShardIndex {
    struct Entry {
        let tensor: String
        let file: String
    }

    let path: String
    let entries: [Entry]

    init(path: String) throws(CheckpointError) {
        let index = try MappedFile(path: path).jsonObject()
        guard let value = index["weight_map"] else { throw .malformed("\(path): weight_map is missing") }
        guard let map = value.object else {
            throw .malformed("\(path): weight_map: expected an object, got \(value.kind)")
        }
        if let name = map.duplicateKey { throw .malformed("\(path): weight_map: \(name.quoted) stands twice") }
        var entries: [Entry] = []
        entries.reserveCapacity(map.count)
        for member in map {
            guard let file = member.value.string else {
                throw .malformed(
                    "\(path): weight_map: \(member.key.quoted): expected a file name, got \(member.value.kind)")
            }
            guard Self.isPlainName(file) else {
                throw .malformed(
                    "\(path): weight_map: \(member.key.quoted): \(file.quoted) is not the name of a file beside the index"
                )
            }
            entries.append(Entry(tensor: member.key, file: file))
        }
        guard !entries.isEmpty else { throw .malformed("\(path): weight_map names no tensors") }
        self.path = path
        self.entries = entries
    }

    /// Whether a name stays inside its directory: a file beside the index or in a directory below.
    private static func isPlainName(_ name: String) -> Bool {
        !name.utf8.contains { $0 == UInt8(ascii: "\\") || $0 == 0 }
            && name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
                !part.isEmpty && part != "." && part != ".."
            }
    }

    /// Throws with the names of all the shards that are not there.
    func openShards(in contents: DirectoryContents) throws(CheckpointError) -> [SafetensorsFile] {
        let names = Set(entries.map { ExactString($0.file) }).map(\.string)
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let missing = names.filter { !contents.reaches($0) }
        guard missing.isEmpty else {
            throw .notFound("\(path): names files that are not there: \(missing.listed())")
        }
        var shards: [SafetensorsFile] = []
        for name in names { shards.append(try SafetensorsFile(path: contents.path(of: name))) }
        return shards
    }
}
