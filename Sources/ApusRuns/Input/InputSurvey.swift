package import ApusJSON

/// What a whole input holds, found by reading it once.
package struct InputSurvey: Sendable, Equatable {
    /// Prompts.
    package private(set) var count = 0
    package private(set) var byteCount = 0
    /// Of all prompts' bytes and places.
    package private(set) var digest: UInt64 = 0
    /// Most sequences that a prompt's own settings ask for at a time; 1 if none does.
    package private(set) var widest = 1
    private var unknownKeys: UnknownKeys

    /// What of the lines has no effect.
    package var remark: String? { unknownKeys.remark }

    /// Throws `RunError` naming the file and the first line at fault, or when there are no prompts. `goesOn` may end it
    /// early with `nil`.
    package init?(_ input: PromptInput, goesOn: () -> Bool = { true }) throws(RunError) {
        var reader = try PromptReader(input)
        try self.init(&reader, count: nil, goesOn: goesOn)
        if count == 0 { throw RunError("\(reader.name): holds no prompts") }
    }

    /// Of the next prompts of a reader, at most so many. Throws `RunError` naming the first line at fault.
    package init?(_ reader: inout PromptReader, count most: Int?, goesOn: () -> Bool = { true }) throws(RunError) {
        let start = reader.place.offset
        var sum = Digest()
        unknownKeys = UnknownKeys(name: reader.name)
        while count < most ?? .max, let line = try reader.next() {
            if count % 1024 == 0, !goesOn() { return nil }
            do {
                let prompt = try line.prompt()
                unknownKeys.note(prompt)
                for key in ["num_beams", "num_return_sequences"] {
                    widest = max(widest, prompt.settings[key]?.integer ?? 1)
                }
            } catch {
                throw line.failure(error, in: reader.name)
            }
            sum.add(line.bytes)
            sum.add([0x0A])
            count += 1
        }
        byteCount = reader.place.offset - start
        digest = sum.value
    }

    /// What a journal notes of it.
    package var json: JSONObject {
        ["prompts": .integer(count), "bytes": .integer(byteCount), "digest": .string(Digest.text(digest))]
    }
}
