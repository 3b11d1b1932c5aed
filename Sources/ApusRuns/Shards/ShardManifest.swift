import ApusDistributed
package import ApusJSON

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the shards of one run have in common: `manifest.json` in their directory, written by whoever comes first and
/// checked by the others.
package struct ShardManifest: Sendable, Equatable {
    /// A contiguous part of the input.
    package struct Part: Sendable, Equatable {
        package var place: PromptReader.Place
        package var count: Int
        package var digest: UInt64
    }

    package static let fileName = "manifest.json"

    package let header: JSONObject
    /// Of the whole input.
    package let count: Int
    package let byteCount: Int
    package let parts: [Part]

    // MARK: Making

    /// Surveys a whole input: the first `count % shards` parts have one prompt more.
    /// Throws `RunError` naming a line that is no prompt.
    package init(surveying path: String, shards: Int, header: JSONObject) throws(RunError) {
        let input = PromptInput.file(path)
        guard let survey = try InputSurvey(input) else { throw RunError("\(path): was not read") }
        let rule = SplitRule(count: survey.count, ranks: shards)
        var reader = try PromptReader(input)
        var parts: [Part] = []
        for shard in 0..<shards {
            let place = reader.place
            guard let found = try InputSurvey(&reader, count: rule.range(of: shard).count) else { break }
            parts.append(Part(place: place, count: found.count, digest: found.digest))
        }
        self.header = header
        count = survey.count
        byteCount = survey.byteCount
        self.parts = parts
    }

    /// Writes the manifest unless there is one; gives the one that is there then.
    /// Throws `RunError` if the directory cannot be written.
    package func publish(in directory: String) throws(RunError) -> ShardManifest {
        let path = directory + "/" + Self.fileName
        let draft = "\(directory)/.manifest-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let file = try OutputDescriptor(opening: draft, flags: O_CREAT | O_EXCL | O_WRONLY)
        defer { unlink(draft) }
        do {
            defer { file.close() }
            try file.write((JSONValue.object(json).serialized + "\n").utf8)
            guard fsync(file.number) == 0 || errno == EINVAL else { throw file.failure }
        }
        // A name appears whole or not at all, and never in place of another's.
        guard link(draft, path) == 0 || errno == EEXIST else {
            throw RunError("\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        ResultFile.syncFolder(of: path)
        guard let published = try ShardManifest(in: directory) else { throw RunError("\(path): is gone") }
        return published
    }

    // MARK: Reading

    /// That of a directory; `nil` if there is none. Throws `RunError` for one that cannot be read.
    package init?(in directory: String) throws(RunError) {
        let path = directory + "/" + Self.fileName
        guard FileIdentity(path) != nil else { return nil }
        let lines = try LineReader(path: path)
        guard let line = try lines.next(),
            let object = try? line.withUnsafeBytes({ try JSONValue(parsing: $0) }).object,
            let manifest = ShardManifest(object)
        else { throw RunError("\(path): is no manifest of shards") }
        self = manifest
    }

    private var json: JSONObject {
        [
            "shards": .integer(parts.count), "prompts": .integer(count), "bytes": .integer(byteCount),
            "run": .object(header),
            "parts": .array(
                parts.map { part in
                    [
                        "prompt": .integer(part.place.index), "count": .integer(part.count),
                        "line": .integer(part.place.line), "offset": .integer(part.place.offset),
                        "form": part.place.form.map { .string($0.rawValue) } ?? .null,
                        "digest": .string(Digest.text(part.digest)),
                    ]
                }),
        ]
    }

    private init?(_ object: JSONObject) {
        guard let header = object["run"]?.object, let count = object["prompts"]?.integer,
            let byteCount = object["bytes"]?.integer, let list = object["parts"]?.array, !list.isEmpty
        else { return nil }
        var parts: [Part] = []
        for part in list {
            guard let index = part["prompt"]?.integer, let count = part["count"]?.integer, count >= 0, index >= 0,
                let line = part["line"]?.integer, let offset = part["offset"]?.integer, offset >= 0,
                let digest = part["digest"]?.string.flatMap({ UInt64($0, radix: 16) })
            else { return nil }
            let form = part["form"]?.string.flatMap(PromptLine.Form.init(rawValue:))
            parts.append(
                Part(
                    place: PromptReader.Place(index: index, line: line, offset: offset, form: form), count: count,
                    digest: digest))
        }
        var next = 0
        for part in parts {
            guard part.place.index == next else { return nil }
            next += part.count
        }
        guard next == count, object["shards"]?.integer == parts.count else { return nil }
        self.header = header
        self.count = count
        self.byteCount = byteCount
        self.parts = parts
    }
}
