import ApusJSON

/// Reads prompts from a file or from standard input.
struct PromptFile {
    private enum Form {
        /// A prompt a line.
        case text
        case jsonLines
    }

    private(set) var prompts: [Prompt] = []
    /// What of the lines has no effect.
    var remark: String? {
        guard !unknownKeys.isEmpty else { return nil }
        return
            "\(name): not settings of a prompt, and without effect: \(unknownKeys.map(\.quoted).joined(separator: ", "))"
    }

    private let name: String
    private var form: Form?
    private var unknownKeys: [String] = []

    /// Most keys that are named as unknown.
    private static let namedKeys = 10

    /// - Parameter path: a file, or `-` for standard input. `.txt` and `.md` hold text, `.jsonl` and `.json` JSON lines; what
    ///   another file holds, its first line shows.
    /// - Throws: `CommandError` naming the file and the line at fault.
    init(path: String) throws {
        name = path == "-" ? "standard input" : path
        form = Self.form(of: path)
        var lines = try LineReader(path: path)
        var number = 0
        while let bytes = try lines.next() {
            number += 1
            do {
                guard let line = Self.line(bytes, isFirst: number == 1) else { continue }
                try take(line)
            } catch {
                throw CommandError("\(name), line \(number): \(error)")
            }
        }
        if prompts.isEmpty { throw CommandError("\(name): holds no prompts") }
    }

    private static func form(of path: String) -> Form? {
        switch path.split(separator: "/").last?.split(separator: ".").dropFirst().last?.lowercased() {
        case "txt", "text", "md": .text
        case "jsonl", "json", "ndjson": .jsonLines
        default: nil
        }
    }

    private mutating func take(_ line: ArraySlice<UInt8>) throws {
        let form = form ?? (Self.isJSON(line) ? .jsonLines : .text)
        self.form = form
        switch form {
        case .text:
            guard let text = String(validating: line, as: UTF8.self) else {
                throw CommandError("the line is not UTF-8")
            }
            prompts.append(Prompt(content: .text(text)))
        case .jsonLines:
            let value = try line.withUnsafeBytes { try JSONValue(strictly: $0, verbatimKeys: Prompt.verbatimKeys) }
            let prompt = try Prompt(value)
            for key in prompt.unknownKeys where unknownKeys.count < Self.namedKeys && !unknownKeys.contains(key) {
                unknownKeys.append(key)
            }
            prompts.append(prompt)
        }
    }

    /// Whether a line begins as a JSON object does, or as a list of objects, which is then refused as such.
    private static func isJSON(_ line: ArraySlice<UInt8>) -> Bool {
        let start = line.drop { $0 == 0x20 || $0 == 0x09 }
        return start.starts(with: "{".utf8) || start.starts(with: "[{".utf8)
    }

    /// The line without a byte order mark or a carriage return; `nil` if it is blank.
    private static func line(_ bytes: [UInt8], isFirst: Bool) -> ArraySlice<UInt8>? {
        var line = bytes[...]
        if isFirst, line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        if line.last == 0x0D { line = line.dropLast() }
        return line.allSatisfy { $0 == 0x20 || $0 == 0x09 } ? nil : line
    }
}
