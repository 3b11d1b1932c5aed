package import ApusJSON

/// A mapped GGUF file of version 2 or 3 (ggml, docs/gguf.md) whose header has been checked in full: metadata, then the places of
/// tensors, then their data, each at a multiple of the alignment.
package final class GGUFFile: Sendable {
    package let path: String
    /// In the order of the header.
    package let tensors: [StoredTensor]

    private let mapping: MappedFile
    private let values: [ExactString: Value]

    private struct Value {
        let type: UInt32
        let place: Int
    }

    /// Bytes that a pair and a tensor's description take at least.
    private static let (leastPair, leastTensor) = (13, 32)

    package static func isOne(_ path: String) -> Bool { path.hasSuffix(".gguf") }

    /// Maps the file and checks its header; reads none of the tensors.
    /// Throws `CheckpointError` (`.notFound`, `.unreadable`, `.malformed`, `.unsupported`).
    package init(path: String) throws(CheckpointError) {
        let mapping = try MappedFile(path: path)
        try MappedFile.refusePointer(mapping.bytes, of: path)
        var reader = GGUFReader(mapping)
        guard try reader.number(UInt32.self) == 0x4655_4747 else {
            throw .malformed("\(path): does not begin with 'GGUF'; is this a GGUF file?")
        }
        let version = try reader.number(UInt32.self)
        guard version == 2 || version == 3 else {
            let isSwapped = version.byteSwapped == 2 || version.byteSwapped == 3
            throw .unsupported(
                "\(path): \(isSwapped ? "a file for big-endian machines" : "version \(version) of GGUF") is not read")
        }
        let tensorCount = try reader.count(of: Self.leastTensor, "tensors")
        let pairs = try reader.count(of: Self.leastPair, "values")
        var values: [ExactString: Value] = [:]
        for index in 0..<pairs {
            let key = try reader.name("key \(index)")
            let type = try reader.number(UInt32.self)
            guard values.updateValue(Value(type: type, place: reader.place), forKey: ExactString(key)) == nil else {
                throw .malformed("\(path): the key \(key.quoted) stands twice")
            }
            try reader.skipValue(type, key.quoted)
        }
        self.path = path
        self.mapping = mapping
        self.values = values
        var entries: [GGUFTensorEntry] = []
        entries.reserveCapacity(tensorCount)
        for index in 0..<tensorCount { entries.append(try GGUFTensorEntry(&reader, index)) }
        let key = "general.alignment"
        let given = try values[ExactString(key)].map { value throws(CheckpointError) in
            try Self.read(value, key, mapping)
        }
        let alignment = try Self.alignment(given, path)
        let start = (reader.place + alignment - 1) / alignment * alignment
        tensors = try GGUFTensorEntry.tensors(entries, of: mapping, from: start, alignment: alignment)
    }

    private static func alignment(_ value: JSONValue?, _ path: String) throws(CheckpointError) -> Int {
        guard let value else { return 32 }
        guard let alignment = value.integer, (1...1 << 20).contains(alignment), alignment & (alignment - 1) == 0 else {
            throw .malformed("\(path): general.alignment: expected a power of two, got \(value.serialized)")
        }
        return alignment
    }

    private static func read(_ value: Value, _ key: String, _ mapping: MappedFile) throws(CheckpointError) -> JSONValue
    {
        var reader = GGUFReader(mapping)
        try reader.skip(value.place)
        return try reader.value(value.type, key.quoted)
    }

    package var keys: [String] { values.keys.map(\.string).sorted() }

    /// A value of the metadata; `nil` if there is none.
    /// Throws `CheckpointError` (`.malformed`) for text that is not UTF-8.
    package func value(_ key: String) throws(CheckpointError) -> JSONValue? {
        if let value = GGUFOverrides.value(key) { return value }
        return try values[ExactString(key)].map { value throws(CheckpointError) in try Self.read(value, key, mapping) }
    }
}

// MARK: Parts

extension GGUFFile {
    /// The file and the others of the same model, if it is in parts: `NAME-00001-of-00003.gguf`, of which the first has the
    /// metadata. Throws `CheckpointError` as for one, and for a part that is missing or says another number of parts.
    package static func parts(path: String) throws(CheckpointError) -> [GGUFFile] {
        let first = try GGUFFile(path: path)
        guard let count = try first.value("split.count")?.integer, count > 1 else { return [first] }
        let end = "-00001-of-\(padded(count)).gguf"
        guard count <= 99_999, path.hasSuffix(end) else {
            throw .unsupported(
                "\(path): is one of \(count) parts of a model; name the first, which ends with -00001-of-\(padded(count)).gguf"
            )
        }
        var parts = [first]
        for number in 2...count {
            let part = try GGUFFile(path: path.dropLast(end.utf8.count) + "-\(padded(number))-of-\(padded(count)).gguf")
            guard try part.value("split.count")?.integer == count, try part.value("split.no")?.integer == number - 1
            else {
                throw .malformed("\(part.path): is not part \(number) of the \(count) of \(path)")
            }
            parts.append(part)
        }
        return parts
    }

    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(5 - digits.count, 0)) + digits
    }
}
