package import ApusJSON

/// A JSON configuration file such as `config.json`, or an object nested in one, read by typed getters.
///
/// A key with the value `null` counts as absent, as in the configurations of transformers. The getters throw
/// `CheckpointError` (`.invalidValue`) naming file, key, what was expected and what was found.
package struct ConfigurationFile: Sendable {
    /// Path of the file, for messages.
    package let file: String

    /// Dotted place of this object in the file, empty at the top.
    package let place: String

    package let object: JSONObject

    /// Larger configurations are refused: the longest in use have some hundred kilobytes.
    static let maximumByteCount = 64 << 20

    /// Reads a file. Throws `CheckpointError` (`.notFound`, `.unreadable`, `.malformed`).
    package init(path: String) throws(CheckpointError) {
        let mapping = try MappedFile(path: path)
        guard mapping.bytes.count <= Self.maximumByteCount else {
            throw .malformed("\(path): a configuration of \(mapping.bytes.count) bytes is too large to be one")
        }
        self.init(file: path, object: try mapping.jsonObject())
    }

    /// Reads a file of a directory; `nil` if the directory has no such file.
    package init?(optionalPath path: String) throws(CheckpointError) {
        do {
            try self.init(path: path)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    package init(file: String, place: String = "", object: JSONObject) {
        self.file = file
        self.place = place
        self.object = object
    }

    /// The same with other names of keys: each stands for the one beside it, unless that is there too.
    package func renamed(_ aliases: [String: String]) -> ConfigurationFile {
        let more = aliases.compactMap { alias, key in
            object[key] == nil ? object[alias].map { JSONObject.Member(key: key, value: $0) } : nil
        }
        return more.isEmpty
            ? self : ConfigurationFile(file: file, place: place, object: JSONObject(object.members + more))
    }

    /// The same without some keys, which say nothing to a family.
    package func without(_ keys: Set<String>) -> ConfigurationFile {
        ConfigurationFile(
            file: file, place: place, object: JSONObject(object.members.filter { !keys.contains($0.key) }))
    }

    /// The same with members that count where none of some keys has a value.
    package func assuming(_ members: JSONObject, unless keys: [String]) -> ConfigurationFile {
        guard keys.allSatisfy({ self[$0] == nil }) else { return self }
        let names = Set(members.members.map(\.key))
        let others = object.members.filter { !names.contains($0.key) }
        return ConfigurationFile(file: file, place: place, object: JSONObject(others + members.members))
    }

    /// The value of a key, `nil` if absent or `null`.
    package subscript(key: String) -> JSONValue? {
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    /// Whether a key is there and `null`, which for some keys is another answer than none.
    package func isNull(_ key: String) -> Bool { object[key]?.isNull ?? false }

    /// An error about one key, for checks that only the reader of the value can make.
    package func fault(_ key: String, expected: String, got: String) -> CheckpointError {
        let place = place.isEmpty ? key : "\(place).\(key)"
        return .invalidValue("\(file): \(place): expected \(expected), got \(got.printable())")
    }

    func fault(_ key: String, expected: String, got value: JSONValue) -> CheckpointError {
        switch value {
        case .array, .object, .null: fault(key, expected: expected, got: value.kind)
        case .string(let text): fault(key, expected: expected, got: text.quoted)
        default: fault(key, expected: expected, got: value.serialized)
        }
    }

    func required<Value>(_ key: String, _ value: Value?, _ expected: String) throws(CheckpointError) -> Value {
        guard let value else { throw fault(key, expected: expected, got: "nothing") }
        return value
    }
}
