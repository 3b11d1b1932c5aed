package import ApusJSON

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What tells a model from others: names, sizes and sampled content of its files. A copy elsewhere is the same model, a
/// fine-tune of the same size is not.
package struct ModelIdentity: Sendable, Equatable {
    struct File: Sendable, Equatable {
        let name: String
        let byteCount: Int
        let digest: UInt64
    }

    let files: [File]

    /// Files with other endings, such as a README, say nothing of what a model computes.
    private static let endings = [".json", ".safetensors", ".model", ".txt", ".jinja", ".tiktoken", ".gguf", ".bin"]
    /// Larger files are sampled at so many places, evenly, the ends included.
    private static let sampleCount = 4096
    private static let sampleByteCount = 4096

    /// Throws `RunError` if a file cannot be read.
    package init(directory: String) throws(RunError) {
        if let file = FileIdentity(directory), file.isRegular {
            let name = directory.split(separator: "/").last.map(String.init) ?? directory
            let digest = try Self.digest(directory, byteCount: file.byteCount)
            files = [File(name: name, byteCount: file.byteCount, digest: digest)]
            return
        }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            throw RunError("\(directory): no such directory")
        }
        var files: [File] = []
        for name in names.sorted() where Self.endings.contains(where: name.hasSuffix) {
            let path = directory + "/" + name
            guard let file = FileIdentity(path), file.isRegular else { continue }
            files.append(
                File(name: name, byteCount: file.byteCount, digest: try Self.digest(path, byteCount: file.byteCount)))
        }
        self.files = files
    }

    private static func digest(_ path: String, byteCount: Int) throws(RunError) -> UInt64 {
        guard byteCount > sampleCount * sampleByteCount else { return try Digest.ofFile(path) }
        let file = try OutputDescriptor(opening: path, flags: O_RDONLY)
        defer { file.close() }
        var digest = Digest()
        var buffer = [UInt8](repeating: 0, count: sampleByteCount)
        for sample in 0..<sampleCount {
            let offset = Int(Double(byteCount - sampleByteCount) * (Double(sample) / Double(sampleCount - 1)))
            let read = buffer.withUnsafeMutableBytes { pread(file.number, $0.baseAddress, $0.count, off_t(offset)) }
            guard read >= 0 else { throw RunError.cannotRead(path) }
            buffer.withUnsafeBytes { digest.add(UnsafeRawBufferPointer(rebasing: $0.prefix(read))) }
        }
        return digest.value
    }

    package var json: JSONValue {
        .array(
            files.map { file in
                [
                    "name": .string(file.name), "bytes": .integer(file.byteCount),
                    "digest": .string(Digest.text(file.digest)),
                ]
            })
    }

    /// What has changed since a model was noted, as a clause that names a file; `nil` if nothing has.
    static func difference(from noted: JSONValue?, to own: JSONValue?) -> String? {
        func files(_ value: JSONValue?) -> [String: JSONValue] {
            Dictionary((value?.array ?? []).map { ($0["name"]?.string ?? "", $0) }, uniquingKeysWith: { $1 })
        }
        let (old, new) = (files(noted), files(own))
        for name in Set(old.keys).union(new.keys).sorted() {
            switch (old[name], new[name]) {
            case (nil, _): return "\(name) was not there"
            case (_, nil): return "\(name) is gone"
            case (let left?, let right?) where left != right: return "\(name) is another"
            default: continue
            }
        }
        return nil
    }
}
