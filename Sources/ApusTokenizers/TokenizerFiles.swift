import ApusJSON
import FoundationEssentials

/// The files of a tokenizer's directory.
struct TokenizerFiles {
    let directory: String

    init(directory: String) {
        self.directory = directory.hasSuffix("/") ? String(directory.dropLast()) : directory
    }

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// `nil` for a file that does not exist. Throws `unreadable`, or `malformed` for what stands for a file elsewhere.
    func bytes(_ name: String) throws(TokenizerError) -> [UInt8]? {
        guard FileManager.default.fileExists(atPath: path(name)) else { return nil }
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path(name)))
        } catch {
            throw .unreadable("\(path(name)) cannot be read")
        }
        guard !data.starts(with: Array("version https://git-lfs.github.com/spec/".utf8)) else {
            throw .malformed("\(path(name)): is a git-lfs pointer, not the file itself; fetch it with 'git lfs pull'")
        }
        return [UInt8](data)
    }

    /// The lines of a text, without what ends them; `nil` for a file that does not exist. Throws `unreadable`, or
    /// `malformed` for what is no UTF-8.
    func lines(_ name: String) throws(TokenizerError) -> [String]? {
        guard let bytes = try bytes(name) else { return nil }
        var lines: [String] = []
        var ends = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if ends.last?.isEmpty == true { ends.removeLast() }
        lines.reserveCapacity(ends.count)
        for line in ends {
            guard let text = String(validating: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self) else {
                throw .malformed("\(path(name)): line \(lines.count + 1) is not UTF-8")
            }
            lines.append(text)
        }
        return lines
    }

    /// A whole text; `nil` for a file that does not exist. Throws `unreadable`, or `malformed` for what is no UTF-8.
    func text(_ name: String) throws(TokenizerError) -> String? {
        guard let bytes = try bytes(name) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .malformed("\(path(name)) is not UTF-8")
        }
        return text
    }

    /// Of two files that need each other, the one that is there where the other is not.
    func half(of first: String, and second: String) -> (here: String, missing: String)? {
        let (hasFirst, hasSecond) = (
            FileManager.default.fileExists(atPath: path(first)), FileManager.default.fileExists(atPath: path(second))
        )
        if hasFirst == hasSecond { return nil }
        return hasFirst ? (first, second) : (second, first)
    }

    /// The files of a folder whose names end so, in order.
    func names(in folder: String = ".", endingIn suffix: String) -> [String] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: path(folder))
        return names?.filter { $0.hasSuffix(suffix) }.sorted() ?? []
    }

    /// `nil` for a file that does not exist. Numbers are those of `tokenizers`: sums of scores that are equal for it must be so here.
    /// Throws `unreadable`, or `malformed` for what is no JSON.
    func json(_ name: String) throws(TokenizerError) -> JSONValue? {
        guard let bytes = try bytes(name) else { return nil }
        do {
            return try bytes.withUnsafeBytes { bytes in
                Result { () throws(JSONError) in try JSONValue(parsing: bytes, readsAsSerde: true) }
            }.get()
        } catch {
            throw .malformed("\(path(name)): \(error)")
        }
    }

    func object(_ name: String) throws(TokenizerError) -> ComponentConfiguration? {
        guard let value = try json(name) else { return nil }
        return try ComponentConfiguration(value, at: path(name))
    }
}
