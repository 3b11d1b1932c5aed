#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What lies in a checkpoint directory beside its weights and `config.json`: the tokenizer, settings, a licence.
package struct CheckpointCompanions {
    /// Ends of the names of weights, in the formats that checkpoints are published in.
    private static let weightSuffixes = [
        ".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json", ".pt", ".pth", ".ckpt", ".h5",
        ".h5.index.json", ".msgpack", ".msgpack.index.json", ".onnx", ".gguf", ".ot",
    ]

    /// Files that belong to the model however its weights are kept.
    package let names: [String]
    /// What does not: weights in other formats, directories.
    package let leftOut: [String]

    private let contents: DirectoryContents

    package init(of checkpoint: Checkpoint) throws(CheckpointError) {
        contents = try DirectoryContents(path: checkpoint.directory)
        var (names, leftOut): ([String], [String]) = ([], [])
        let read = Set(checkpoint.files)
        for name in contents.visibleNames where name != "config.json" && name != DirectoryContents.indexName {
            guard !read.contains(contents.path(of: name)) else { continue }
            var status = stat()
            guard stat(contents.path(of: name), &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                !Self.weightSuffixes.contains(where: name.hasSuffix)
            else {
                leftOut.append(name)
                continue
            }
            names.append(name)
        }
        self.names = names
        self.leftOut = leftOut
    }

    package func path(of name: String) -> String { contents.path(of: name) }
}
