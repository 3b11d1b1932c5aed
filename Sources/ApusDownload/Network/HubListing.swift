import ApusHub
import ApusJSON

/// What a repository holds at a commit.
package struct HubListing: Sendable {
    package let commit: String
    /// By their paths; a size only where the hub says one.
    package let files: [(name: String, byteCount: Int?)]

    package init?(_ json: [UInt8]) {
        guard let value = try? json.withUnsafeBytes({ try JSONValue(parsing: $0) }), let commit = value["sha"]?.string,
            HubCache.isCommit(commit), let siblings = value["siblings"]?.array
        else { return nil }
        self.commit = commit
        files = siblings.compactMap { file in
            guard let name = file["rfilename"]?.string, HubName.isPath(name) else { return nil }
            let size = (file["lfs"]?["size"] ?? file["size"])?.integer
            return (name, size.flatMap { $0 >= 0 ? $0 : nil })
        }
    }
}

/// What the hub announces of a file before it is fetched.
struct HubFile: Sendable, Equatable {
    /// The name that its bytes have in a cache.
    let etag: String
    var byteCount: Int?
    let digest: BlobDigest.Kind?

    /// The header of a redirect to where large files lie counts before the answer's own.
    init?(_ head: HTTPHead) {
        guard let tag = (head["X-Linked-Etag"] ?? head["ETag"]).map(Self.plain), Self.isName(tag) else { return nil }
        etag = tag
        let size = head["X-Linked-Size"] ?? (head.isRedirect ? nil : head["Content-Length"])
        byteCount = size.flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
        digest = BlobDigest.Kind(etag: tag)
    }

    static func isComplete(_ head: HTTPHead) -> Bool { head["X-Linked-Etag"] != nil }

    /// `W/"tag"` and `"tag"` are tag.
    private static func plain(_ tag: String) -> String {
        var text = tag[...]
        if text.hasPrefix("W/") { text = text.dropFirst(2) }
        while text.first == "\"" { text = text.dropFirst() }
        while text.last == "\"" { text = text.dropLast() }
        return String(text)
    }

    private static func isName(_ tag: String) -> Bool {
        (1...128).contains(tag.utf8.count) && tag.first != "."
            && tag.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
