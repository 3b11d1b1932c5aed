import ApusJSON
import ApusRuns
import ApusTokenizers
import ArgumentParser

struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Turns text into a model's token ids, and back.",
        discussion: """
            Reads JSON lines {"text": ...} and writes JSON lines {"ids": [...], "tokens": [...]}, one for one and in \
            order; {"text": ..., "text_pair": ...} are two texts as one, whose "type_ids" come too. {"messages": [...]} are a \
            conversation, rendered by the chat template to the "text" of the answer; one that cannot be rendered gets an \
            "error". With --decode, reads {"ids": [...]} and writes {"text": ...}.
            """)

    @Option(
        help: ArgumentHelp(
            "Directory of the checkpoint, with its tokenizer, or org/name@revision of the hub's cache.",
            valueName: "model"),
        completion: .directory)
    var model: String

    @Option(help: ArgumentHelp("File of JSON lines; - for standard input.", valueName: "file"), completion: .file())
    var input: String

    @Flag(help: "Turn token ids into text.")
    var decode = false

    @Flag(
        name: .customLong("no-special-tokens"),
        help: "Put no special tokens around the text; with --decode, leave them out of it.")
    var omitsSpecialTokens = false

    @Flag(help: "Say on standard error how long each line took to tokenize, without reading and writing.")
    var time = false

    @OptionGroup(title: "Chat template")
    var templateOptions: TemplateOptions

    func run() throws {
        let template = try templateOptions.choice()
        var hasErrors = false
        let tokenizer = try AutoTokenizer.from(pretrained: model)
        var output = BufferedOutput(.standardOutput)
        var timing = BufferedOutput(.standardError)
        let lines = try LineReader(path: input)
        var number = 0
        while let line = try lines.next() {
            number += 1
            guard line.contains(where: { $0 > 0x20 }) else { continue }
            do {
                let (result, duration) = try convert(line, tokenizer, template)
                hasErrors = hasErrors || result["error"] != nil
                try output.write(result.serialized + "\n")
                if time { try timing.write("line \(number): \(duration / .milliseconds(1)) ms\n") }
            } catch {
                try output.flush()
                try timing.flush()
                throw RunError("\(input == "-" ? "standard input" : input), line \(number): \(error)")
            }
        }
        try output.flush()
        try timing.flush()
        if hasErrors { throw ExitCode.failure }
    }

    private func convert(
        _ line: [UInt8], _ tokenizer: Tokenizer, _ template: ChatRequest.Template?
    ) throws -> (JSONValue, Duration) {
        let clock = ContinuousClock()
        let value = try line.withUnsafeBytes { try JSONValue(parsing: $0, keepsLargeIntegers: true) }
        if decode {
            guard let ids = value["ids"]?.array?.map(\.integer), !ids.contains(nil) else {
                throw RunError(#"expected {"ids": [...]} with integers"#)
            }
            let start = clock.now
            let text = tokenizer.decode(ids.compactMap { $0 }, skipSpecialTokens: omitsSpecialTokens)
            return (["text": .string(text)], start.duration(to: clock.now))
        }
        if value["messages"] != nil, let object = value.object {
            let start = clock.now
            let answer = rendered(object, tokenizer, template)
            return (.object(answer), start.duration(to: clock.now))
        }
        guard let text = value["text"]?.string else {
            throw RunError(#"expected {"text": "..."}"#)
        }
        let second = value["text_pair"]
        guard second == nil || second?.string != nil else { throw RunError("text_pair must be a string") }
        let start = clock.now
        let pair = second?.string.map { tokenizer.encode(text, pair: $0, addSpecialTokens: !omitsSpecialTokens) }
        let ids = pair?.inputIDs ?? tokenizer.encode(text, addSpecialTokens: !omitsSpecialTokens)
        let duration = start.duration(to: clock.now)
        let tokens = tokenizer.tokens(for: ids)
        var answer: JSONObject = [
            "ids": .array(ids.map { .integer($0) }), "tokens": .array(tokens.map { .string($0) }),
        ]
        if let types = pair?.tokenTypeIDs { answer.append("type_ids", .array(types.map { .integer($0) })) }
        return (.object(answer), duration)
    }

    /// A conversation's text and tokens, or what is wrong with it.
    private func rendered(
        _ line: JSONObject, _ tokenizer: Tokenizer, _ template: ChatRequest.Template?
    ) -> JSONObject {
        do {
            guard var request = try ChatRequest(line) else { return ["error": "messages is null"] }
            request.template = template
            let chat = try tokenizer.render(request)
            let ids = try tokenizer.encode(chat)
            return [
                "text": .string(chat.text), "ids": .array(ids.map { .integer($0) }),
                "tokens": .array(tokenizer.tokens(for: ids).map { .string($0) }),
            ]
        } catch {
            return ["error": .string("\(error)")]
        }
    }
}
