package import ApusJSON

extension MappedFile {
    /// The file read as one JSON object without repeated keys.
    /// Throws `CheckpointError` (`.malformed`) with the place of the first fault.
    package func jsonObject() throws(CheckpointError) -> JSONObject {
        try Self.jsonObject(bytes, of: path)
    }

    static func jsonObject(_ bytes: UnsafeRawBufferPointer, of place: String) throws(CheckpointError) -> JSONObject {
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
}
