import ApusJSON

/// Messages in the form that templates read, as transformers' `apply_chat_template` brings them into.
struct Conversation {
    private(set) var messages: [JSONObject]

    /// Throws `invalidChat` for an empty conversation, or a content that is neither text nor parts of text.
    init(_ messages: [JSONObject]) throws(TokenizerError) {
        guard !messages.isEmpty else { throw .invalidChat("a conversation needs at least one message") }
        self.messages = []
        for (place, message) in messages.enumerated() {
            try Self.checkContent(message["content"], place)
            self.messages.append(Self.normalized(message))
        }
    }

    private static func checkContent(_ content: JSONValue?, _ place: Int) throws(TokenizerError) {
        guard let content, !content.isNull, content.string == nil else { return }
        guard let parts = content.array else {
            throw .invalidChat("message \(place + 1): its content must be text or a list of parts, not \(content.kind)")
        }
        for part in parts where part["type"]?.string ?? "text" != "text" || part["text"]?.string == nil {
            guard let type = part["type"]?.string, type != "text" else {
                throw .invalidChat("message \(place + 1): a part of text must have a \"text\"")
            }
            throw .invalidChat("message \(place + 1): only parts of text are understood, not \(type.quoted)")
        }
    }

    /// Without members that are null (many templates fail on them), arguments of calls decoded, and what a model thought under
    /// the names that templates have for it.
    private static func normalized(_ message: JSONObject) -> JSONObject {
        var members = message.members.filter { !$0.value.isNull }
        for index in members.indices where members[index].key == "tool_calls" {
            guard let calls = members[index].value.array else { continue }
            members[index].value = .array(calls.map(decoded))
        }
        let names = ["reasoning_content", "thinking", "reasoning"]
        guard let thought = names.lazy.compactMap({ name in members.first { $0.key == name }?.value }).first else {
            return JSONObject(members)
        }
        members.removeAll { $0.key == "reasoning_content" }
        if !members.contains(where: { $0.key == "thinking" }) {
            members.insert(.init(key: "thinking", value: thought), at: 0)
        }
        members.append(.init(key: "reasoning_content", value: thought))
        return JSONObject(members)
    }

    /// A call whose arguments are a string of JSON gets what that says; other strings stay.
    private static func decoded(_ call: JSONValue) -> JSONValue {
        guard let object = call.object, let function = object["function"]?.object,
            let text = function["arguments"]?.string,
            let arguments = try? JSONValue(parsing: text, keepsLargeIntegers: true)
        else { return call }
        return .object(object.replacing("function", .object(function.replacing("arguments", arguments))))
    }

    /// The same with contents of several parts joined line by line, `nil` if there are none.
    var joined: Conversation? {
        guard messages.contains(where: { $0["content"]?.array != nil }) else { return nil }
        var copy = self
        copy.messages = messages.map { message in
            guard let parts = message["content"]?.array else { return message }
            let text = parts.compactMap { $0["text"]?.string }.joined(separator: "\n")
            return message.replacing("content", .string(text))
        }
        return copy
    }

    /// What marks the end of a message that is to be continued, the space included.
    static let mark = "CONTINUE_FINAL_MESSAGE_TAG "

    /// The last message's text with the mark behind it, and that text. Throws `invalidChat` if there is none.
    func marked() throws(TokenizerError) -> (conversation: Conversation, text: String) {
        guard let last = messages.last, let content = last["content"] else {
            throw .invalidChat("the last message has no content to continue")
        }
        var copy = self
        if let text = content.string {
            copy.messages[messages.count - 1] = last.replacing("content", .string(text + Self.mark))
            return (copy, text)
        }
        guard var parts = content.array, let place = parts.lastIndex(where: { $0["text"]?.string != nil }),
            let part = parts[place].object, let text = part["text"]?.string
        else { throw .invalidChat("the last message has no text to continue") }
        parts[place] = .object(part.replacing("text", .string(text + Self.mark)))
        copy.messages[messages.count - 1] = last.replacing("content", .array(parts))
        return (copy, text)
    }
}

extension JSONObject {
    fileprivate func replacing(_ key: String, _ value: JSONValue) -> JSONObject {
        JSONObject(members.map { $0.key == key ? Member(key: key, value: value) : $0 })
    }
}
