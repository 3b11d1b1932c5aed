import ApusJSON

/// A model's name on a hub, as people write it: `org/name`, `org/name@revision`, and of a repository of GGUF files
/// `org/name:Q4_K_M` (llama.cpp's spelling) or `org/name/FILE.gguf`.
package struct HubName: Sendable, Equatable, CustomStringConvertible {
    /// `org/name`, or the bare name of a model from before there were organizations.
    package let repository: String
    /// A branch, a tag or a commit; `nil` is the default branch.
    package let revision: String?
    /// Which file is meant, of a repository of GGUF files.
    package let choice: GGUFChoice

    package static let defaultRevision = "main"

    package init(repository: String, revision: String? = nil, choice: GGUFChoice = .standard) {
        (self.repository, self.revision, self.choice) = (repository, revision, choice)
    }

    /// Throws `HubError` (`.invalidName`).
    package init(_ text: String) throws(HubError) {
        var rest = text[...]
        var (revision, quantization): (Substring?, Substring?)
        if let at = rest.firstIndex(of: "@") {
            revision = rest[rest.index(after: at)...]
            rest = rest[..<at]
        }
        // No revision of git has a colon in its name.
        if let whole = revision, let colon = whole.firstIndex(of: ":") {
            (revision, quantization) = (whole[..<colon], whole[whole.index(after: colon)...])
        } else if let colon = rest.firstIndex(of: ":") {
            (rest, quantization) = (rest[..<colon], rest[rest.index(after: colon)...])
        }
        let parts = rest.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        repository = parts.prefix(2).joined(separator: "/")
        self.revision = revision.map(String.init)
        guard Self.isRepository(parts.prefix(2)) else {
            throw Self.invalid(text, "a name is org/name, of letters, digits, '-', '_' and '.'")
        }
        guard self.revision.map(Self.isRevision) ?? true else {
            throw Self.invalid(text, "what follows '@' is no branch, tag or commit")
        }
        switch (parts.count > 2 ? parts[2] : nil, quantization) {
        case (nil, nil): choice = .standard
        case (nil, let quantization?):
            guard !quantization.isEmpty, quantization.utf8.allSatisfy(Self.isWord) else {
                throw Self.invalid(text, "what follows ':' is no quantization such as Q4_K_M")
            }
            choice = .quantization(String(quantization))
        case (let file?, nil):
            guard GGUFFiles.isOne(file), Self.isPath(file) else {
                throw Self.invalid(text, "what follows the name is no file that ends in .gguf")
            }
            choice = .file(file)
        case (_?, _?): throw Self.invalid(text, "either a file or a quantization picks one of several")
        }
    }

    /// As `apus download` takes it.
    package var description: String {
        let place = repository + (revision.map { "@\($0)" } ?? "")
        return switch choice {
        case .standard: place
        case .quantization(let quantization): "\(place):\(quantization)"
        case .file(let file): "\(repository)/\(file)" + (revision.map { "@\($0)" } ?? "")
        }
    }

    // MARK: What a hub takes

    private static func invalid(_ text: String, _ reason: String) -> HubError {
        HubError(code: .invalidName, message: "\(text.quoted) is no model's name: \(reason)")
    }

    /// The rules of `validate_repo_id` in huggingface_hub.
    private static func isRepository(_ parts: ArraySlice<String>) -> Bool {
        let name = parts.joined(separator: "/")
        return !name.contains("--") && !name.contains("..") && !name.hasSuffix(".git")
            && parts.allSatisfy { part in
                guard let first = part.utf8.first, let last = part.utf8.last, part.utf8.count <= 96 else {
                    return false
                }
                return part.utf8.allSatisfy(isWord) && [first, last].allSatisfy { $0 != 0x2D && $0 != 0x2E }
            }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// What git allows, as far as it matters here: nothing that leads out of the folder of revisions.
    private static func isRevision(_ text: String) -> Bool {
        isPath(text) && !text.contains("..") && !text.utf8.contains { $0 <= 0x20 || $0 == 0x7F }
    }

    /// Whether a name stays inside its directory: a file in it or below.
    package static func isPath(_ name: String) -> Bool {
        !name.utf8.contains { $0 == UInt8(ascii: "\\") || $0 == 0 }
            && name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
                !part.isEmpty && part != "." && part != ".."
            }
    }
}
