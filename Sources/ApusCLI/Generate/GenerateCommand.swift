import Apus
import ArgumentParser

struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Continues prompts, on one or several processes.",
        discussion: """
            Prompts are arguments, the lines of a .txt file (blank lines are passed over), or the lines of a .jsonl file: \
            {"prompt": ..., "id"?: ..., and generation settings such as "max_new_tokens" for this prompt}. \
            "prompt_token_ids" may stand for "prompt".

            Results are JSON lines in the order of the prompts; on a terminal, readable text. What a prompt gets depends \
            on the model, the prompt, the settings and the seed, never on the number of processes or the batch size.

            EXAMPLES
              apus generate "a dog" "a cat" -n 2
              apus generate --model DIR --prompts in.jsonl --output out.jsonl -n 4 --batch-size 16
            """)

    @Argument(help: ArgumentHelp("Texts to continue.", valueName: "prompt"))
    var texts: [String] = []

    @OptionGroup(title: "Input and output")
    var files: FileOptions

    @OptionGroup(title: "Model")
    var model: ModelOptions

    @OptionGroup(title: "Generation")
    var generation: GenerationOptions

    mutating func validate() throws {
        if texts.isEmpty == (files.prompts == nil) {
            throw ValidationError("Give prompts as arguments or as a file with --prompts, one of the two.")
        }
    }

    func run() async throws {
        let prompts: [Prompt]
        if let path = files.prompts {
            prompts = try PromptFile.read(path)
        } else {
            prompts = texts.map { Prompt(content: .text($0)) }
        }
        let overrides = try generation.config()
        if !files.quiet { generation.warnings(overrides).forEach(StandardError.write) }
        let settings = WorkerSettings(
            model: try model.directory(quiet: files.quiet), dtype: model.dtype.value, quantize: model.quantize,
            cacheType: model.cacheType.value, threads: model.threads, batchSize: model.batchSize,
            processes: model.numProcesses, overrides: overrides, quiet: files.quiet)

        let sink = try ResultSink(path: files.output, readable: !files.json)
        let progress = ProgressLine(total: prompts.count, isEnabled: !files.quiet)
        let run = GenerationRun(prompts: prompts, settings: settings, sink: sink, progress: progress)
        try await run.run()
        if !files.quiet { StandardError.write(run.summary) }
        if run.failures > 0 { throw ExitCode.failure }
    }
}
