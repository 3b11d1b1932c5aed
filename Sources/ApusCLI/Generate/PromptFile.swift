import ApusJSON

/// Reads prompts from a file or from standard input.
enum PromptFile {
    /// Throws `CommandError` naming the file and the line at fault.
    static func read(_ path: String) throws -> [Prompt] {
        var lines = try LineReader(path: path)
        let isText = path.hasSuffix(".txt")
        let name = path == "-" ? "standard input" : path
        var prompts: [Prompt] = []
        var number = 0
        while let bytes = try lines.next() {
            number += 1
            do {
                guard let line = Self.line(bytes, isFirst: number == 1) else { continue }
                guard let text = String(validating: line, as: UTF8.self) else {
                    throw CommandError("the line is not UTF-8")
                }
                prompts.append(isText ? Prompt(content: .text(text)) : try prompt(text))
            } catch {
                throw CommandError("\(name), line \(number): \(error)")
            }
        }
        if prompts.isEmpty { throw CommandError("\(name): holds no prompts") }
        return prompts
    }

    private static func prompt(_ text: String) throws -> Prompt { try Prompt(JSONValue(parsing: text)) }

    /// The line without a byte order mark or a carriage return; `nil` if it is blank.
    private static func line(_ bytes: [UInt8], isFirst: Bool) -> ArraySlice<UInt8>? {
        var line = bytes[...]
        if isFirst, line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        if line.last == 0x0D { line = line.dropLast() }
        return line.allSatisfy { $0 == 0x20 || $0 == 0x09 } ? nil : line
    }
}
