/// What a worker hands in for a prompt: the line of the output, and what the coordinator counts and says.
///
/// As bytes: a flag, the two counts, the number of remarks, each with its length, and the line.
package struct Reply: Sendable, Equatable {
    package var isError = false
    /// New tokens.
    package var tokens = 0
    package var promptTokens = 0
    /// Said once for all prompts.
    package var remarks: [String] = []
    /// Without its newline.
    package var line: [UInt8]
    /// What is wrong with the prompt, for a person.
    package var error: String?

    package init(line: [UInt8]) { self.line = line }

    package var payload: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(line.count + 16)
        bytes.append(isError ? 1 : 0)
        func append(_ number: Int) { withUnsafeBytes(of: UInt32(clamping: number).littleEndian) { bytes += $0 } }
        append(tokens)
        append(promptTokens)
        let texts = (error.map { [$0] } ?? []) + remarks
        append(texts.count)
        for text in texts {
            append(text.utf8.count)
            bytes += text.utf8
        }
        bytes += line
        return bytes
    }

    /// `nil` for bytes that `payload` did not make.
    package init?(_ payload: [UInt8]) {
        var rest = payload[...]
        func number() -> Int? {
            guard rest.count >= 4 else { return nil }
            defer { rest = rest.dropFirst(4) }
            return rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        guard let flag = rest.popFirst(), let tokens = number(), let promptTokens = number(), let count = number()
        else {
            return nil
        }
        var texts: [String] = []
        for _ in 0..<count {
            guard let length = number(), length <= rest.count else { return nil }
            texts.append(String(decoding: rest.prefix(length), as: UTF8.self))
            rest = rest.dropFirst(length)
        }
        isError = flag == 1
        if isError, !texts.isEmpty { error = texts.removeFirst() }
        self.tokens = tokens
        self.promptTokens = promptTokens
        remarks = texts
        line = Array(rest)
    }
}
