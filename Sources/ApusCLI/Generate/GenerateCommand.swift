import Apus
import ApusHub
import ApusRuns
import ArgumentParser

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Continues prompts, on one or several processes.",
        discussion: """
            Prompts are arguments (behind -- if one begins with a dash), the lines of a text file (blank ones are passed \
            over), or the lines of a .jsonl file: {"prompt": ..., "id"?: ..., "add_special_tokens"?: ..., and generation \
            settings such as "max_new_tokens" for this prompt}. "prompt_token_ids" may stand for "prompt". What standard \
            input and files of other names hold, their first line shows.

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

    @OptionGroup(title: "Reports")
    var reports: ReportOptions

    @OptionGroup(title: "Model")
    var model: ModelOptions

    @OptionGroup(title: "Chat template")
    var chat: TemplateOptions

    @OptionGroup(title: "Devices")
    var devices: DeviceOptions

    @OptionGroup(title: "Generation")
    var generation: GenerationOptions

    func run() async throws {
        // Not in `validate`, which would hide that an argument is taken for an option.
        if texts.isEmpty == (files.prompts == nil) {
            throw ValidationError("Give prompts as arguments or as a file with --prompts, one of the two.")
        }
        if files.shard == nil, let complaint = StrayCopies.complaint(ProcessInfo.processInfo.environment) {
            StandardError.write("Error: \(complaint)")
            throw ExitCode.validationFailure
        }
        let overrides = try generation.config()
        if !files.quiet { generation.warnings(overrides).forEach(StandardError.write) }
        var settings = try settings()
        settings.tokenizer = model.tokenizer
        settings.metadata = model.overrides
        settings.template = try chat.choice()
        settings.dtype = model.dtype.value
        settings.quantize = model.quantize
        settings.cacheType = model.cacheType.value
        settings.threads = model.threads
        settings.batchSize = model.batchSize
        settings.contextLength = model.contextLength
        settings.processes = model.numProcesses
        settings.overrides = overrides
        settings.addsSpecialTokens = !generation.omitsSpecialTokens
        settings.quiet = files.quiet
        settings.verbose = files.verbose
        settings.devices = devices.settings

        let progress = ProgressLine(isEnabled: !files.quiet)
        let observer = CommandObserver(progress: progress, quiet: files.quiet)
        let input = files.prompts.map { PromptInput.file($0) } ?? .texts(texts)
        var options = files.options
        var part = RunPart()
        do {
            if let shard = files.shard, let directory = files.output {
                (part, options.output) = try ShardDirectory(directory).part(
                    shard, input: input, settings: settings, version: options.version,
                    environment: ProcessInfo.processInfo.environment, remark: observer.remark)
            }
        } catch {
            throw RunExitCode.telling(error)
        }
        let run = GenerationRun(input, settings: settings, options: options, observer: observer, part: part)
        let reports = try CommandRun.reports(
            reports, files, input: input, model: settings.model, output: options.output)
        try await CommandRun(run, files: files, progress: progress, reports: reports).run()
    }

    private func settings() throws -> WorkerSettings {
        do {
            return WorkerSettings(model: try model.directory(quiet: files.quiet))
        } catch let error as HubError where files.isToFile {
            throw RunExitCode.telling(error)
        }
    }

    /// What to say of an argument that was taken for an option and may be a prompt; `nil` for other errors.
    static func hint(for error: any Error) -> String? {
        let message = message(for: error)
        guard message.hasPrefix("Unknown option") else { return nil }
        return message + (message.hasSuffix(".") || message.hasSuffix("?") ? "" : ".")
            + " A prompt that begins with a dash goes behind --: apus generate -- '- like this'"
    }
}
