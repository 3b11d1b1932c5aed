import ApusJSON

/// The weights of a model directory: one safetensors file, or several named by an index.
///
/// Cheap to copy: the values share the mappings, which live as long as any of them or any tensor taken from them.
package struct Checkpoint: Sendable {
    package let directory: String

    /// The files, in the order of their names.
    package let files: [SafetensorsFile]

    /// The names of all tensors, sorted by their bytes.
    package let names: [String]

    /// Bytes of all tensors together.
    package let byteCount: Int

    private let tensors: [ExactString: StoredTensor]

    /// Maps the weights of a directory: `model.safetensors`, else what `model.safetensors.index.json` lists, else the
    /// only `*.safetensors` there. Headers are checked, tensors are not read.
    ///
    /// Throws `CheckpointError` when there are none, when several could be meant, when a shard is missing or malformed,
    /// or when shards and index disagree.
    package init(directory: String) throws(CheckpointError) {
        let contents = try DirectoryContents(path: directory)
        let weightMap: [ShardIndex.Entry]
        switch try contents.weights() {
        case .single(let name):
            weightMap = []
            files = [try SafetensorsFile(path: contents.path(of: name))]
        case .sharded(let name):
            let index = try ShardIndex(path: contents.path(of: name))
            weightMap = index.entries
            files = try index.openShards(in: contents)
        }

        var tensors: [ExactString: StoredTensor] = [:]
        var byteCount = 0
        for file in files {
            for tensor in file.tensors {
                if let other = tensors.updateValue(tensor, forKey: ExactString(tensor.name)) {
                    throw .malformed("tensor \(tensor.name.quoted) is both in \(other.file) and in \(tensor.file)")
                }
                byteCount += tensor.byteCount
            }
        }
        for entry in weightMap {
            let path = contents.path(of: entry.file)
            guard tensors[ExactString(entry.tensor)]?.file == path else {
                throw .malformed("\(path): lacks the tensor \(entry.tensor.quoted), which the index places there")
            }
        }
        self.directory = directory
        self.byteCount = byteCount
        self.tensors = tensors
        names = tensors.keys.map(\.string).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    package subscript(name: String) -> StoredTensor? { tensors[ExactString(name)] }
}
