package import ApusGeneration
package import ApusJSON

/// The line of a result in the output: the same bytes whoever made it.
package enum ResultLine {
    /// Index, id and prompt, then what came of it: the members of the one continuation, or a list of several.
    ///
    /// - Parameter isAlone: whether one sequence was asked for. A search may find fewer than were.
    package static func line(
        index: Int, prompt: Prompt, outputs: [GenerationOutput], isAlone: Bool
    ) -> JSONObject {
        var object = start(index: index, prompt: prompt)
        if let logprobs = outputs.first?.promptLogprobs {
            object.append("prompt_logprobs", .array(logprobs.map { $0.map { .number($0) } ?? .null }))
        }
        if isAlone, let output = outputs.first {
            append(output, to: &object, withPromptCount: true)
            return object
        }
        object.append("num_prompt_tokens", .integer(outputs.first?.promptTokenCount ?? 0))
        object.append(
            "sequences",
            .array(
                outputs.map { output in
                    var sequence = JSONObject()
                    append(output, to: &sequence, withPromptCount: false)
                    return .object(sequence)
                }))
        return object
    }

    private static func append(_ output: GenerationOutput, to object: inout JSONObject, withPromptCount: Bool) {
        object.append("text", .string(output.text))
        object.append("token_ids", .array(output.tokenIDs.map { .integer($0) }))
        if withPromptCount { object.append("num_prompt_tokens", .integer(output.promptTokenCount)) }
        object.append("num_tokens", .integer(output.tokenIDs.count))
        object.append("finish_reason", .string(output.finishReason.rawValue))
        if let score = output.score { object.append("score", .number(score)) }
        if let logprobs = output.logprobs { object.append("logprobs", .array(logprobs.map { .number($0) })) }
        if let best = output.topLogprobs {
            let steps = best.map { step in
                JSONValue.array(step.map { .array([.integer($0.id), .number($0.logprob)]) })
            }
            object.append("top_logprobs", .array(steps))
        }
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
        case .chat(let line): object.append("messages", line["messages"] ?? .null)
        case .tokenIDs(let ids): object.append("prompt_token_ids", .array(ids.map { .integer($0) }))
        }
        return object
    }

    /// What a person reads on a terminal.
    package static func readable(_ line: [UInt8], rank: Int) throws -> String {
        let object = try line.withUnsafeBytes { try JSONValue(parsing: $0) }
        let start =
            object["prompt"]?.string ?? object["messages"]?.array?.last?["content"]?.string.map { $0 + "\n" } ?? object[
                "prompt_token_ids"]?.serialized ?? ""
        let several = object["sequences"]?.array?.compactMap { $0["text"]?.string }
        let text =
            object["error"]?.string.map { " [error: \($0)]" } ?? object["text"]?.string
            ?? several?.map { "\n  - \($0)" }.joined() ?? ""
        return "Process \(rank) - \(start)\(text)"
    }
}
