import ApusJSON

/// The weights of a model directory: one safetensors file, or several named by an index; or of a GGUF file. What other tools
/// hold in several tensors of codes is one weight here.
///
/// Cheap to copy: the values share the mappings, which live as long as any of them or any tensor taken from them.
package struct Checkpoint: Sendable {
    package let directory: String

    /// The paths of its files, in the order of their names.
    package let files: [String]

    /// The names of all tensors, sorted by their bytes.
    package let names: [String]

    /// Bytes of all tensors together.
    package let byteCount: Int

    /// The version of the format of the integers in it, if Apus has written them; the latest if nothing says.
    package let formatVersion: Int

    private let tensors: [ExactString: StoredTensor]

    /// Maps the weights of a directory: `model.safetensors`, else what `model.safetensors.index.json` lists, else the
    /// only `*.safetensors` there or the parts of one. Headers are checked, tensors are not read.
    ///
    /// An index may name tensors that no shard has: only a model that needs one complains. Two shards may hold the same
    /// tensor if its bytes are the same.
    ///
    /// Throws `CheckpointError` when there are no weights, when several could be meant, when a shard is missing or malformed,
    /// or when two shards hold different tensors of one name.
    package init(directory: String) throws(CheckpointError) {
        if GGUFFile.isOne(directory) {
            let parts = try GGUFFile.parts(path: directory)
            try self.init(directory, parts.map { ($0.path, $0.tensors) })
            return
        }
        let contents = try DirectoryContents(path: directory)
        let files: [SafetensorsFile]
        switch try contents.weights() {
        case .single(let name):
            files = [try SafetensorsFile(path: contents.path(of: name))]
        case .shards(let names):
            var shards: [SafetensorsFile] = []
            for name in names { shards.append(try SafetensorsFile(path: contents.path(of: name))) }
            files = shards
        case .sharded(let name):
            files = try ShardIndex(path: contents.path(of: name)).openShards(in: contents)
        }
        try self.init(directory, files.map { ($0.path, $0.tensors) }, contents)
    }

    /// - Parameter contents: of the directory, where modules may hold codes in several tensors.
    private init(
        _ directory: String, _ files: [(path: String, tensors: [StoredTensor])], _ contents: DirectoryContents? = nil
    ) throws(CheckpointError) {
        var tensors: [ExactString: StoredTensor] = [:]
        for file in files {
            for tensor in file.tensors {
                if let other = tensors[ExactString(tensor.name)] {
                    guard tensor.holdsTheSame(as: other) else {
                        throw .malformed(
                            "tensor \(tensor.name.quoted) is both in \(other.file) and in \(tensor.file), and not the same"
                        )
                    }
                } else {
                    tensors[ExactString(tensor.name)] = tensor
                }
            }
        }
        let modules = try contents.flatMap { contents throws(CheckpointError) in try CodedModules(of: tensors, contents)
        }
        try modules?.replace(in: &tensors)
        formatVersion = modules?.version ?? .max
        byteCount = tensors.values.reduce(0) { $0 + $1.byteCount }
        self.directory = directory
        self.files = files.map(\.path)
        self.tensors = tensors
        names = tensors.keys.map(\.string).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Throws `CheckpointError` (`.notFound`) unless there is a directory of that name.
    package static func requireDirectory(_ path: String) throws(CheckpointError) {
        _ = try DirectoryContents(path: path)
    }

    package subscript(name: String) -> StoredTensor? { tensors[ExactString(name)] }
}
