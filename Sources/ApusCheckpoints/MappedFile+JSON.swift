package import ApusJSON

extension MappedFile {
    /// The file read as one JSON object without repeated keys.
    /// Throws `CheckpointError` (`.malformed`) with the place of the first fault.
    package func jsonObject() throws(CheckpointError) -> JSONObject {
        try Self.jsonObject(bytes, of: path)
    }

    static func jsonObject(_ bytes: UnsafeRawBufferPointer, of place: String) throws(CheckpointError) -> JSONObject {
        try refusePointer(bytes, of: place)
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw .malformed("\(place): \(error)")
        }
        guard let object = value.object else { throw .malformed("\(place): expected an object, got \(value.kind)") }
        if let key = object.duplicateKey { throw .malformed("\(place): the key \(key.quoted) stands twice") }
        return object
    }

    /// What a repository holds in place of a large file that git-lfs has not fetched
    /// (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
    private static let pointerBeginning = Array("version https://git-lfs.github.com/spec/".utf8)

    /// Throws `CheckpointError` (`.malformed`) if the bytes only point to the file.
    static func refusePointer(_ bytes: UnsafeRawBufferPointer, of place: String) throws(CheckpointError) {
        guard bytes.starts(with: pointerBeginning) else { return }
        throw .malformed("\(place): is a git-lfs pointer, not the file itself; fetch it with 'git lfs pull'")
    }
}
