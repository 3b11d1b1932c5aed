package import ApusGeneration
package import ApusJSON

/// The line of a result in the output: the same bytes whoever made it.
package enum ResultLine {
    /// Index, id and prompt, then what came of it.
    package static func line(index: Int, prompt: Prompt, output: GenerationOutput) -> JSONObject {
        var object = start(index: index, prompt: prompt)
        object.append("text", .string(output.text))
        object.append("token_ids", .array(output.tokenIDs.map { .integer($0) }))
        object.append("num_prompt_tokens", .integer(output.promptTokenCount))
        object.append("num_tokens", .integer(output.tokenIDs.count))
        object.append("finish_reason", .string(output.finishReason.rawValue))
        if let logprobs = output.logprobs { object.append("logprobs", .array(logprobs.map { .number($0) })) }
        return object
    }

    /// Of a prompt that could not be run.
    package static func line(index: Int, prompt: Prompt, error: String) -> JSONObject {
        var object = start(index: index, prompt: prompt)
        object.append("error", .string(error))
        return object
    }

    private static func start(index: Int, prompt: Prompt) -> JSONObject {
        var object = JSONObject()
        object.append("index", .integer(index))
        object.append("id", prompt.id)
        switch prompt.content {
        case .text(let text): object.append("prompt", .string(text))
        case .tokenIDs(let ids): object.append("prompt_token_ids", .array(ids.map { .integer($0) }))
        }
        return object
    }

    /// What a person reads on a terminal.
    package static func readable(_ line: [UInt8], rank: Int) throws -> String {
        let object = try line.withUnsafeBytes { try JSONValue(parsing: $0) }
        let start = object["prompt"]?.string ?? object["prompt_token_ids"]?.serialized ?? ""
        let text = object["error"]?.string.map { " [error: \($0)]" } ?? object["text"]?.string ?? ""
        return "Process \(rank) - \(start)\(text)"
    }
}
