import ApusCompute
import ApusJSON

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Makes one file of the parts of all shards: the bytes that one run would have written.
package struct ShardMerge: Sendable {
    private let directory: ShardDirectory
    private let manifest: ShardManifest
    /// Parts whose journals are gone, so that nothing could be compared with them.
    package private(set) var unchecked: [Int] = []

    /// Throws `RunError` if the directory holds no shards.
    package init(_ path: String) throws(RunError) {
        directory = ShardDirectory(path)
        guard let manifest = try ShardManifest(in: path) else {
            throw RunError("\(path): holds no shards, for it has no \(ShardManifest.fileName)")
        }
        self.manifest = manifest
    }

    /// Checks all parts, and then writes them. Returns how many results are errors.
    ///
    /// - Parameters:
    ///   - output: a file, `-` for standard output.
    ///   - force: whether a file that holds something gives way.
    /// - Throws: `RunError`: `.tryAgain` naming the shards that are missing or not whole, before anything is written.
    package mutating func write(to output: String, force: Bool) throws(RunError) -> Int {
        var missing: [Int] = []
        var errors = 0
        for shard in manifest.parts.indices {
            if let count = try check(shard) { errors += count } else { missing.append(shard) }
        }
        guard missing.isEmpty else {
            let list = Self.arraySpecification(missing)
            throw RunError(
                "\(directory.path): of \(manifest.parts.count) shards, these are missing or not whole: \(list); run "
                    + "them (--array=\(list)) and merge again", code: .tryAgain)
        }
        try copy(to: output, force: force)
        return errors
    }

    /// `3,7-9`.
    package static func arraySpecification(_ numbers: [Int]) -> String { numbers.writtenRanges }

    private func file(of shard: Int) -> String { directory.file(of: shard, of: manifest.parts.count) }

    /// How many results of a part are errors; `nil` if it is missing, not whole, or not what its journal says.
    private mutating func check(_ shard: Int) throws(RunError) -> Int? {
        let path = file(of: shard)
        let part = manifest.parts[shard]
        guard let identity = FileIdentity(path), identity.isRegular else { return nil }
        var done: JSONObject?
        if FileIdentity(path + ".journal") != nil {
            let scan = try JournalScan(path: path + ".journal")
            done = scan.done
            guard done?["bytes"]?.integer == identity.byteCount, let header = scan.header,
                RunHeader.isPart(header, "\(shard)/\(manifest.parts.count)", of: manifest.header),
                scan.input?["digest"]?.string == Digest.text(part.digest) || part.count == 0
            else { return nil }
        } else {
            unchecked.append(shard)
        }
        let lines = try LineReader(path: path)
        var digest = Digest()
        var index = part.place.index
        var errors = 0
        while let line = try lines.next() {
            let start = Array("{\"index\":\(index),".utf8)
            // A line that was cut has no newline behind it.
            guard line.starts(with: start), line.last == UInt8(ascii: "}") else { return nil }
            digest.add(line)
            digest.add([0x0A])
            if done == nil, (try? line.withUnsafeBytes { try JSONValue(parsing: $0) })?["error"] != nil { errors += 1 }
            index += 1
        }
        guard index == part.place.index + part.count, lines.offset == identity.byteCount else { return nil }
        guard let done else { return errors }
        return done["digest"]?.string == Digest.text(digest.value) ? done["errors"]?.integer ?? 0 : nil
    }

    private func copy(to output: String, force: Bool) throws(RunError) {
        let paths = manifest.parts.indices.map(file)
        guard output != "-" else {
            return try Self.copy(paths) { bytes throws(RunError) in
                try OutputDescriptor.standardOutput.write(bytes)
            }
        }
        switch try OutputPlace(output) {
        case .descriptor(let number):
            let target = try OutputDescriptor(duplicating: number, name: output)
            try Self.copy(paths) { bytes throws(RunError) in try target.write(bytes) }
        case .device:
            let target = try OutputDescriptor(opening: output)
            try Self.copy(paths) { bytes throws(RunError) in try target.write(bytes) }
        case .file(let target):
            let own = paths + paths.map { $0 + ".journal" } + ["\(directory.path)/\(ShardManifest.fileName)"]
            if let there = FileIdentity(target), own.contains(where: { FileIdentity($0) == there }) {
                throw RunError("\(output): is a file of the shards")
            }
            if !force, (FileIdentity(target)?.byteCount ?? 0) > 0 {
                throw RunError("\(output): holds something already; --force replaces it")
            }
            // What an earlier merge has left can be made again; what a run has left has its journal beside it.
            let isOfARun = FileIdentity(target + ".journal") != nil
            let file = try ResultFile(at: target, takesPartial: force || !isOfARun)
            do {
                try Self.copy(paths) { bytes throws(RunError) in try file.write(bytes) }
                try file.finish()
            } catch {
                file.remove()
                throw error
            }
        }
    }

    /// One file after the other.
    private static func copy(_ paths: [String], _ write: ([UInt8]) throws(RunError) -> Void) throws(RunError) {
        for path in paths {
            try FileContents.read(path) { bytes throws(RunError) in
                try write(Array(bytes))
                return true
            }
        }
    }
}
