import Apus
import ApusCompute
import ApusDistributed
import ApusGeneration
import ApusJSON
import ApusModels
import ApusRuns
import ApusTokenizers
import ArgumentParser
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "A conversation with a model in the terminal.",
        discussion: """
            Each line is a message; the answer comes as it is made. /clear begins anew, /system TEXT does so with other \
            words before the conversation, /save FILE writes it as a line of a prompts file, /exit or the end of the \
            input ends. Ctrl-C stops an answer.
            """)

    @Option(help: ArgumentHelp("What stands before the conversation.", valueName: "text"))
    var system: String?

    @Flag(name: .shortAndLong, help: "Nothing but the answers.")
    var quiet = false

    @Flag(help: "Say of each answer how many tokens it took, and how many of them were in the cache.")
    var verbose = false

    @OptionGroup(title: "Chat template")
    var templateOptions: TemplateOptions

    @OptionGroup(title: "Model")
    var modelOptions: ModelOptions

    @OptionGroup(title: "Devices")
    var deviceOptions: DeviceOptions

    @OptionGroup(title: "Generation")
    var generationOptions: GenerationOptions

    func validate() throws {
        guard modelOptions.numProcesses == 1 else { throw ValidationError("a conversation runs in one process.") }
        let config = try generationOptions.config()
        guard config.numBeams ?? 1 == 1, config.numReturnSequences ?? 1 == 1 else {
            throw ValidationError("a conversation has one answer at a time: no beams, and one sequence.")
        }
        guard config.logprobs == nil, config.topLogprobs == nil, config.promptLogprobs == nil else {
            throw ValidationError("a conversation shows no log-probabilities; apus generate does.")
        }
    }

    func run() async throws {
        let directory = try modelOptions.directory(quiet: quiet)
        guard let tokenizer = try AutoTokenizer.ifPresent(in: directory) else {
            throw RunError("\(directory) has no tokenizer")
        }
        let template = try templateOptions.choice()
        try tokenizer.checkTemplate(template)
        let devices = deviceOptions.settings
        let model = try AutoModelForCausalLM.from(
            pretrained: directory, deviceMap: try devices.map, maxMemory: try devices.budgets,
            dtype: modelOptions.dtype.value.flatMap(DType.init(rawValue:)), quantization: modelOptions.quantize,
            cacheType: modelOptions.cacheType.value.flatMap(DType.init(rawValue:)), cpuDevices: devices.cpuDevices,
            threads: modelOptions.threads, batchSize: 1, contextLength: modelOptions.contextLength)
        let session = ChatSession(
            model, tokenizer, try generationOptions.config(), template: template, system: system)
        try await converse(session)
    }

    private func converse(_ session: ChatSession) async throws {
        let isStopped = StopRequest()
        let watch = SignalWatch([SIGINT]) { _ in isStopped.raise() }
        defer { withExtendedLifetime(watch) {} }
        let isTerminal = isatty(STDIN_FILENO) == 1
        if isTerminal, !quiet {
            StandardError.write("/exit or Ctrl-D ends, Ctrl-C stops an answer, /clear begins anew")
        }
        while true {
            if isTerminal { try OutputDescriptor.standardOutput.write("> ".utf8) }
            guard let line = readLine() else { break }
            isStopped.lower()
            switch ChatLine(line) {
            case .message(let text): try await answer(text, session, isStopped)
            case .clear: session.clear()
            case .system(let text): session.begin(system: text)
            case .save(let path): save(session, path)
            case .exit: return
            case .unknown(let word):
                StandardError.write("\(word.quoted): there are /clear, /system TEXT, /save FILE and /exit")
            }
        }
        if isTerminal { try OutputDescriptor.standardOutput.write("\n".utf8) }
    }

    private func answer(_ text: String, _ session: ChatSession, _ isStopped: StopRequest) async throws {
        guard !text.allSatisfy(\.isWhitespace) else { return }
        do {
            let usage = try await session.answer(text) { piece in
                try OutputDescriptor.standardOutput.write(piece.utf8)
                return !isStopped.isRaised
            }
            try OutputDescriptor.standardOutput.write("\n".utf8)
            if verbose {
                StandardError.write(
                    "\(usage.promptTokens) tokens, \(usage.cachedTokens) of them from the cache; \(usage.newTokens) new"
                )
            }
        } catch let error as RunError {
            // Nobody reads the answers any more.
            throw error
        } catch {
            StandardError.write("Error: \(error)")
        }
    }

    private func save(_ session: ChatSession, _ path: String) {
        do {
            try FileContents.create(path, Array((session.line.serialized + "\n").utf8))
            if !quiet { StandardError.write("saved to \(path)") }
        } catch {
            StandardError.write("Error: \(error)")
        }
    }
}

/// A wish to stop, which comes from a signal.
private final class StopRequest: Sendable {
    private let flag = Atomic<Bool>(false)

    var isRaised: Bool { flag.load(ordering: .relaxed) }
    func raise() { flag.store(true, ordering: .relaxed) }
    func lower() { flag.store(false, ordering: .relaxed) }
}
