import Apus
import ApusGeneration
import ApusJSON
import ApusRuns
import ApusTokenizers

/// A conversation with a model: the messages so far, and how the next answer comes.
actor ChatSession {
    private let model: CausalLanguageModel
    private let tokenizer: Tokenizer
    private let config: GenerationConfig
    private let template: ChatRequest.Template?
    private var system: String?
    private var messages: [JSONObject] = []
    /// Counts answers, so that each draws its own random numbers.
    private var turn = 0

    init(
        _ model: CausalLanguageModel, _ tokenizer: Tokenizer, _ config: GenerationConfig,
        template: ChatRequest.Template?, system: String?
    ) {
        self.model = model
        self.tokenizer = tokenizer
        self.config = config
        self.template = template
        self.system = system
    }

    nonisolated var remarkOnLength: String { model.remarkOnLength }

    /// What an answer took.
    struct Usage {
        let promptTokens: Int
        /// Of those, how many an earlier turn had computed.
        let cachedTokens: Int
        let newTokens: Int
        /// Whether the conversation is longer than what the model was made for.
        let passesTraining: Bool
    }

    func clear() { messages = [] }

    /// A new conversation with these words before it.
    func begin(system: String) {
        self.system = system.isEmpty ? nil : system
        messages = []
    }

    private var all: [JSONObject] {
        (system.map { [ChatMessage(role: "system", content: $0).object] } ?? []) + messages
    }

    /// The conversation as a line of a prompts file.
    var line: JSONValue { ["messages": .array(all.map { .object($0) })] }

    /// Answers a message; the answer's text comes piece by piece. An answer that is stopped, by cancelling the task, stays in the
    /// conversation as far as it came; of one that fails, or has not begun, nothing does.
    ///
    /// - Parameter write: takes a piece.
    /// - Throws: `TokenizerError`, `GenerationError`, `ComputeError`, `CancellationError`, or what `write` throws.
    func answer(_ text: String, write: @Sendable (String) throws -> Void) async throws -> Usage {
        var request = ChatRequest(messages: all + [ChatMessage(role: "user", content: text).object])
        request.template = template
        let prompt = try tokenizer.encode(tokenizer.render(request))
        var config = config
        // One answer, whatever the model's own settings say.
        (config.numBeams, config.numReturnSequences, config.promptLogprobs) = (1, 1, false)
        let own = model.generationConfig.merging(config)
        if own.maxNewTokens == nil, own.maxLength == nil {
            config.maxNewTokens = max(model.contextLength - prompt.count, 1)
        }
        let cached = await model.sharedTokenCount
        var (answer, count) = ("", 0)
        for try await token in try model.stream(prompt, config: config, tokenizer: tokenizer, index: turn) {
            answer += token.text
            count += 1
            try write(token.text)
        }
        if count == 0 { try Task.checkCancellation() }
        turn += 1
        messages += [
            ChatMessage(role: "user", content: text).object, ChatMessage(role: "assistant", content: answer).object,
        ]
        return Usage(
            promptTokens: prompt.count, cachedTokens: await model.sharedTokenCount - cached, newTokens: count,
            passesTraining: prompt.count + count > model.trainedContextLength)
    }
}
