import Apus
import ApusGeneration
import ApusJSON

/// The JSON of a result, between worker and coordinator and in the output.
enum ResultLine {
    /// What the coordinator says for all, and leaves out of the output.
    static let remarks = "remarks"

    /// What a worker reports of a prompt.
    static func reply(_ output: GenerationOutput, remarks: [String]) -> JSONObject {
        var object = JSONObject()
        object.append("text", .string(output.text))
        object.append("token_ids", .array(output.tokenIDs.map { .integer($0) }))
        object.append("num_prompt_tokens", .integer(output.promptTokenCount))
        object.append("num_tokens", .integer(output.tokenIDs.count))
        object.append("finish_reason", .string(output.finishReason.rawValue))
        if let logprobs = output.logprobs { object.append("logprobs", .array(logprobs.map { .number($0) })) }
        if !remarks.isEmpty { object.append(Self.remarks, .array(remarks.map { .string($0) })) }
        return object
    }

    /// The line of the output: index, id and prompt, then what the worker reported, then its rank.
    static func line(index: Int, prompt: Prompt, reply: JSONObject, rank: Int) -> JSONObject {
        var object = JSONObject()
        object.append("index", .integer(index))
        object.append("id", prompt.id)
        switch prompt.content {
        case .text(let text): object.append("prompt", .string(text))
        case .tokenIDs(let ids): object.append("prompt_token_ids", .array(ids.map { .integer($0) }))
        }
        for member in reply where member.key != "logprobs" && member.key != remarks {
            object.append(member.key, member.value)
        }
        object.append("rank", .integer(rank))
        if let logprobs = reply["logprobs"] { object.append("logprobs", logprobs) }
        return object
    }

    /// What a person reads on a terminal.
    static func readable(prompt: Prompt, reply: JSONObject, rank: Int) -> String {
        let start =
            switch prompt.content {
            case .text(let text): text
            case .tokenIDs(let ids): "\(ids)"
            }
        let text = reply["error"]?.string.map { " [error: \($0)]" } ?? reply["text"]?.string ?? ""
        return "Process \(rank) - \(start)\(text)"
    }
}
