package import ApusCheckpoints

extension ModelFixture {
    /// A checkpoint of the same configuration; `add` is called for each tensor and puts into the file what is to stand for it.
    package func copy(
        adding add: (_ tensor: StoredTensor, _ name: String, _ builder: inout SafetensorsBuilder) -> Void
    ) throws -> TemporaryDirectory {
        let original = try Checkpoint(directory: directory)
        let copy = try TemporaryDirectory()
        try copy.write("config.json", try readFile(directory + "/config.json"))
        var builder = SafetensorsBuilder()
        for name in original.names {
            guard let tensor = original[name] else { continue }
            add(tensor, name, &builder)
        }
        try copy.write("model.safetensors", builder.bytes)
        return copy
    }
}

extension StoredTensor {
    /// The elements of a tensor of type F32.
    package var floats: [Float] {
        withBytes { bytes in (0..<count).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) } }
    }
}
