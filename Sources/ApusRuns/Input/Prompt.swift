import ApusGeneration
package import ApusJSON
import ApusTokenizers

/// One prompt of the input.
package struct Prompt: Sendable {
    package enum Content: Sendable {
        case text(String)
        case tokenIDs([Int])
        /// A line with a conversation.
        case chat(JSONObject)
    }

    package var content: Content
    /// Whatever the input names it; given back with the result.
    package var id: JSONValue = .null
    /// Settings for this prompt alone, with the keys of `generation_config.json`.
    package var settings: JSONObject = JSONObject()
    /// Whether the tokenizer puts special tokens around the text; the command's choice if `nil`.
    package var addsSpecialTokens: Bool?
    /// Keys that nothing is known of.
    package var unknownKeys: [String] = []

    package init(content: Content) { self.content = content }
}

extension Prompt {
    /// The keys of a line beside the settings.
    private enum Key {
        static let text = "prompt"
        static let tokenIDs = "prompt_token_ids"
        static let messages = "messages"
        static let id = "id"
        static let customID = "custom_id"
        static let addsSpecialTokens = "add_special_tokens"
        static let all = [text, tokenIDs, id, customID, addsSpecialTokens]
    }

    /// What settings are called in other engines' lines, behind the name that they have here.
    private static let aliases = [
        ("max_new_tokens", "max_tokens"), ("stop_strings", "stop"), ("num_return_sequences", "n"),
    ]

    /// Members that come back as they were written.
    package static let verbatimKeys: Set = [Key.id, Key.customID]

    /// Reads `{"prompt": ...}` or `{"prompt_token_ids": [...]}`; a member that is null counts as absent.
    /// Throws `RunError` saying what is wrong with the line.
    package init(_ line: JSONValue) throws(RunError) {
        guard let object = line.object else { throw RunError("expected an object, got \(line.kind)") }
        func member(_ key: String) -> JSONValue? {
            guard let value = object[key], !value.isNull else { return nil }
            return value
        }

        if let ids = member(Key.tokenIDs) {
            guard let numbers = ids.array?.map(\.integer), !numbers.contains(nil) else {
                throw RunError("\"\(Key.tokenIDs)\" must be a list of integers")
            }
            content = .tokenIDs(numbers.compactMap { $0 })
        } else if let text = member(Key.text)?.string {
            content = .text(text)
        } else {
            guard member(Key.messages) != nil else { throw RunError(#"expected {"prompt": "..."}"#) }
            content = .chat(object)
        }
        let given = [Key.text, Key.tokenIDs, Key.messages].filter { member($0) != nil }
        guard given.count == 1 else {
            throw RunError("a line has one prompt, not \(given.joined(separator: " and "))")
        }
        let names = [Key.id, Key.customID].compactMap { object[$0] }
        id = names.first { $0 != .null && $0 != .verbatim("null") } ?? .null
        if let choice = member(Key.addsSpecialTokens) {
            guard let adds = choice.bool else {
                throw RunError("\"\(Key.addsSpecialTokens)\" must be true or false")
            }
            addsSpecialTokens = adds
        }
        // What is not supported is kept as well, so that it can be refused.
        for key in GenerationConfig.settingKeys + GenerationConfig.unsupportedNames {
            let alias = Self.aliases.first { $0.0 == key }?.1
            if let value = member(key) ?? alias.flatMap(member) { settings.append(key, value) }
        }
        let known = Set(Key.all + ChatRequest.keys + GenerationConfig.settingKeys + Self.aliases.map(\.1))
        unknownKeys = object.map(\.key).filter { !known.contains($0) && settings[$0] == nil }
    }
}
