package import ApusJSON

/// A conversation to be rendered, and how.
package struct ChatRequest: Sendable {
    package var messages: [JSONObject]
    package var tools: [JSONValue]?
    /// What else the template may read (`chat_template_kwargs`).
    package var variables = JSONObject()
    /// Whether the start of an answer follows.
    package var addsGenerationPrompt = true
    /// Whether the last message stays open, for the model to go on with it.
    package var continuesFinalMessage = false
    /// By default the one that the conversation wants.
    package var template: Template?

    package enum Template: Sendable, Codable {
        /// One of the checkpoint's.
        case named(String)
        /// The template itself.
        case text(String)
    }

    package init(messages: [JSONObject]) { self.messages = messages }
}

extension ChatRequest {
    private enum Key {
        static let messages = "messages"
        static let tools = "tools"
        static let variables = "chat_template_kwargs"
        static let addsGenerationPrompt = "add_generation_prompt"
        static let continuesFinalMessage = "continue_final_message"
    }

    /// The members of a line that are a conversation's.
    package static let keys = [
        Key.messages, Key.tools, Key.variables, Key.addsGenerationPrompt, Key.continuesFinalMessage,
    ]

    /// Reads the members of a line; `nil` if it has no `messages`. An answer is asked for unless the line says otherwise, or
    /// has its last message continued. Throws `TokenizerError` (`.invalidChat`).
    package init?(_ line: JSONObject) throws(TokenizerError) {
        func member(_ key: String) -> JSONValue? {
            guard let value = line[key], !value.isNull else { return nil }
            return value
        }
        func flag(_ key: String) throws(TokenizerError) -> Bool? {
            guard let value = member(key) else { return nil }
            guard let flag = value.bool else { throw .invalidChat("\"\(key)\" must be true or false") }
            return flag
        }
        guard let list = member(Key.messages) else { return nil }
        guard let messages = list.array?.map(\.object), !messages.contains(where: { $0 == nil }) else {
            throw .invalidChat("\"\(Key.messages)\" must be a list of objects")
        }
        self.init(messages: messages.compactMap { $0 })
        if let tools = member(Key.tools) {
            guard let array = tools.array, array.allSatisfy({ $0.object != nil }) else {
                throw .invalidChat("\"\(Key.tools)\" must be a list of objects")
            }
            self.tools = array
        }
        if let variables = member(Key.variables) {
            guard let object = variables.object else { throw .invalidChat("\"\(Key.variables)\" must be an object") }
            if let key = object.members.map(\.key).first(where: { ["messages", "tools"].contains($0) }) {
                throw .invalidChat("\"\(Key.variables)\" must not have \(key.quoted): that stands beside it")
            }
            self.variables = object
        }
        continuesFinalMessage = try flag(Key.continuesFinalMessage) ?? false
        addsGenerationPrompt = try flag(Key.addsGenerationPrompt) ?? !continuesFinalMessage
    }

    static func object(_ json: String, _ what: String) throws(TokenizerError) -> JSONObject {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: json)
        } catch {
            throw .invalidChat("\(what) is no JSON: \(error)")
        }
        guard let object = value.object else { throw .invalidChat("\(what) must be an object, not \(value.kind)") }
        return object
    }
}
