import Apus
import ApusJSON

/// One prompt of the input.
struct Prompt: Sendable {
    enum Content: Sendable {
        case text(String)
        case tokenIDs([Int])
    }

    var content: Content
    /// Whatever the input names it; given back with the result.
    var id: JSONValue = .null
    /// Settings for this prompt alone, with the keys of `generation_config.json`.
    var settings: JSONObject = JSONObject()

    /// For handing out the longest first.
    var length: Int {
        switch content {
        case .text(let text): text.utf8.count
        case .tokenIDs(let ids): ids.count * 4
        }
    }

    /// Reads `{"prompt": ...}` or `{"prompt_token_ids": [...]}`; other keys that are no settings are passed over.
    /// Throws `CommandError` saying what is wrong with the line.
    init(_ line: JSONValue) throws(CommandError) {
        guard let object = line.object else { throw CommandError("expected an object, got \(line.kind)") }
        if let ids = object["prompt_token_ids"] {
            guard let numbers = ids.array?.map(\.integer), !numbers.contains(nil) else {
                throw CommandError(#""prompt_token_ids" must be a list of integers"#)
            }
            content = .tokenIDs(numbers.compactMap { $0 })
        } else if let text = object["prompt"]?.string {
            content = .text(text)
        } else {
            throw CommandError(#"expected {"prompt": "..."}"#)
        }
        id = object["id"] ?? .null
        for key in GenerationConfig.settingKeys {
            if let value = object[key], !value.isNull { settings.append(key, value) }
        }
    }

    init(content: Content) { self.content = content }
}

extension Prompt {
    /// What a worker needs of a prompt; `id` stays with the coordinator.
    var payload: JSONValue {
        var object = JSONObject()
        switch content {
        case .text(let text): object.append("prompt", .string(text))
        case .tokenIDs(let ids): object.append("prompt_token_ids", .array(ids.map { .integer($0) }))
        }
        for member in settings { object.append(member.key, member.value) }
        return .object(object)
    }
}
