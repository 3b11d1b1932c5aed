import ApusJSON

/// One prompt of the input as it was written, with its place.
package struct PromptLine: Sendable, Equatable {
    /// How lines are written.
    package enum Form: String, Sendable {
        /// A prompt a line.
        case text
        case jsonLines
    }

    /// Of the prompt among all prompts, from 0.
    package let index: Int
    /// Of the line in its file, from 1.
    package let number: Int
    package let form: Form
    /// Without newline, carriage return and byte order mark.
    package let bytes: [UInt8]

    package var digest: UInt64 { Digest.of(bytes) }

    /// An error about the line, naming it.
    func failure(_ error: any Error, in name: String) -> RunError { RunError("\(name), line \(number): \(error)") }

    /// Throws `RunError` or a parser's error saying what is wrong with the line.
    package func prompt() throws -> Prompt {
        switch form {
        case .text:
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw RunError("the line is not UTF-8")
            }
            return Prompt(content: .text(text))
        case .jsonLines:
            return try Prompt(
                bytes.withUnsafeBytes {
                    try JSONValue(strictly: $0, verbatimKeys: Prompt.verbatimKeys, keepsLargeIntegers: true)
                })
        }
    }
}

extension PromptLine {
    /// What a worker needs of the prompt: its form, its line, and the bytes.
    package var payload: [UInt8] {
        var payload: [UInt8] = []
        payload.reserveCapacity(bytes.count + 9)
        payload.append(form == .text ? 0 : 1)
        withUnsafeBytes(of: UInt64(number).littleEndian) { payload.append(contentsOf: $0) }
        payload.append(contentsOf: bytes)
        return payload
    }

    /// Throws `RunError` for bytes that `payload` did not make.
    package init(index: Int, payload: [UInt8]) throws(RunError) {
        guard payload.count >= 9, payload[0] < 2 else { throw RunError("a job came that is no prompt") }
        self.index = index
        form = payload[0] == 0 ? .text : .jsonLines
        number = payload[1..<9].reversed().reduce(0) { $0 << 8 | Int($1) }
        bytes = Array(payload[9...])
    }
}
