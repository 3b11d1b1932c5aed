import ApusJSON

/// Where a run's prompts come from.
public enum PromptInput: Sendable {
    case texts([String])
    /// A file, or `-` for standard input. `.txt` and `.md` hold a prompt a line, `.jsonl` and `.json` JSON lines; what
    /// another file holds, its first line shows.
    case file(String)

    /// What a person knows it by.
    package var name: String {
        switch self {
        case .texts: "the arguments"
        case .file("-"): "standard input"
        case .file(let path): path
        }
    }

    /// The file that it is, if it can be read twice, from any place.
    package var file: String? {
        switch self {
        case .file("-"): LineReader.rereadableInput
        case .file(let path): FileIdentity(path)?.isRegular == true ? path : nil
        case .texts: nil
        }
    }
}

/// Reads prompts one by one. Blank lines are none.
package struct PromptReader {
    /// Where a part of a file begins.
    package struct Place: Sendable, Equatable {
        package var index = 0
        package var line = 1
        package var offset = 0
        /// Known once a line was read, or by the file's name.
        package var form: PromptLine.Form?

        package init(index: Int = 0, line: Int = 1, offset: Int = 0, form: PromptLine.Form? = nil) {
            self.index = index
            self.line = line
            self.offset = offset
            self.form = form
        }
    }

    package let name: String
    /// Of the next line.
    package private(set) var place: Place
    private let texts: [String]
    private let lines: LineReader?

    /// Throws `RunError` for a file that cannot be opened.
    package init(_ input: PromptInput, at place: Place = Place()) throws(RunError) {
        name = input.name
        self.place = place
        switch input {
        case .texts(let texts):
            self.texts = texts
            lines = nil
        case .file(let path):
            texts = []
            lines = try LineReader(path: path, offset: place.offset)
            self.place.form = place.form ?? Self.form(of: path)
        }
    }

    /// The next prompt; `nil` at the end. Throws `RunError` for a file that cannot be read.
    package mutating func next() throws(RunError) -> PromptLine? {
        guard let lines else { return nextText() }
        while let bytes = try lines.next() {
            place.offset = lines.offset
            let number = place.line
            place.line += 1
            guard let line = Self.line(bytes, isFirst: number == 1) else { continue }
            let form = place.form ?? (Self.isJSON(line) ? .jsonLines : .text)
            place.form = form
            defer { place.index += 1 }
            return PromptLine(index: place.index, number: number, form: form, bytes: Array(line))
        }
        return nil
    }

    private mutating func nextText() -> PromptLine? {
        guard place.index < texts.count else { return nil }
        defer { place.index += 1 }
        return PromptLine(
            index: place.index, number: place.index + 1, form: .text, bytes: Array(texts[place.index].utf8))
    }

    private static func form(of path: String) -> PromptLine.Form? {
        switch path.split(separator: "/").last?.split(separator: ".").dropFirst().last?.lowercased() {
        case "txt", "text", "md": .text
        case "jsonl", "json", "ndjson": .jsonLines
        default: nil
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
