package import ApusJSON

/// One message of a conversation: whatever members its template reads, most of all `role` and `content`.
public struct ChatMessage: Sendable, ExpressibleByDictionaryLiteral {
    package let object: JSONObject

    package init(_ object: JSONObject) { self.object = object }

    public init(role: String, content: String) {
        object = ["role": .string(role), "content": .string(content)]
    }

    /// Members of text alone: `["role": "user", "content": "Hello"]`.
    public init(dictionaryLiteral members: (String, String)...) {
        object = JSONObject(members.map { JSONObject.Member(key: $0.0, value: .string($0.1)) })
    }

    /// A message as OpenAI's interface writes it: with `tool_calls`, say, or a content of several parts of text.
    /// Throws ``TokenizerError`` (`.invalidChat`) for what is no JSON object.
    public init(json: String) throws(TokenizerError) {
        object = try ChatRequest.object(json, "a message")
    }
}
