import Apus
import ApusCompute
import ApusGeneration
import ApusJSON
import ApusModels
import ApusRuns
import ApusTokenizers
import ArgumentParser

struct PerplexityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "perplexity",
        abstract: "How well a model foretells a text, which shows what rounding its weights costs.",
        discussion: """
            The text is cut into windows of tokens, without special tokens around them; each token after a window's first is \
            scored once. Compare figures of the same text, window and stride alone.

            EXAMPLES
              apus perplexity --model DIR --text book.txt
              apus perplexity --model DIR --text book.txt --quantize int8 --json
            """)

    @Option(help: ArgumentHelp("File of text in UTF-8.", valueName: "file"), completion: .file())
    var text: String

    @Option(help: ArgumentHelp("Tokens that the model sees at once.", valueName: "tokens"))
    var window = 512

    @Option(
        help: ArgumentHelp(
            "Tokens from one window to the next; where windows overlap, only tokens not scored before count. (default: the window)",
            valueName: "tokens"))
    var stride: Int?

    @Flag(help: "One JSON object instead of a line.")
    var json = false

    @Flag(name: .shortAndLong, help: "No progress, no remarks.")
    var quiet = false

    @OptionGroup(title: "Model")
    var modelOptions: ModelOptions

    @OptionGroup(title: "Devices")
    var deviceOptions: DeviceOptions

    func validate() throws {
        try check("--window", [window], in: 2...1 << 30)
        try check("--stride", [stride], in: 1...window)
        guard modelOptions.numProcesses == 1 else { throw ValidationError("perplexity is measured in one process.") }
        guard modelOptions.batchSize == nil else {
            throw ValidationError("windows are scored one by one, whatever --batch-size says.")
        }
    }

    func run() async throws {
        let directory = try modelOptions.directory(quiet: quiet)
        let tokenizer = try modelOptions.tokenizer(of: directory)
        guard let text = try FileContents.text(ifPresent: self.text) else {
            throw RunError("\(self.text): no such file")
        }
        let tokens = tokenizer.encode(text, addSpecialTokens: false)
        guard tokens.count > 1 else {
            throw RunError("\(self.text): has \(tokens.count) tokens; there is nothing to score")
        }
        let model = try modelOptions.oneByOne(
            directory, deviceOptions.settings, contextLength: modelOptions.contextLength ?? min(window, tokens.count))
        if !quiet { model.remarks.forEach(StandardError.write) }
        let line = RewrittenLine()
        let result: Perplexity
        do {
            defer { line.clear() }
            result = try await model.perplexity(of: tokens, window: window, stride: stride) { share, soFar in
                if !quiet { line.show("\((share * 100).written(0)) %: \(soFar.value.written(3))") }
            }
        }
        try OutputDescriptor.standardOutput.write((written(result) + "\n").utf8)
    }

    private func written(_ result: Perplexity) -> String {
        guard json else {
            return "perplexity \(result.value.written(4)) over \(result.tokens) tokens in windows of \(window)"
        }
        let value: JSONValue = result.value.isFinite ? .number(result.value) : .null
        return JSONValue.object([
            "perplexity": value, "tokens": .integer(result.tokens), "window": .integer(window),
            "stride": .integer(stride ?? window),
        ]).serialized
    }
}
