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
        guard modelOptions.batchSize == nil else {
            throw ValidationError("a conversation has one answer at a time, whatever --batch-size says.")
        }
        guard !generationOptions.omitsSpecialTokens else {
            throw ValidationError("special tokens come from the chat template; --no-special-tokens has no effect.")
        }
        guard config.logprobs == nil, config.topLogprobs == nil, config.promptLogprobs == nil else {
            throw ValidationError("a conversation shows no log-probabilities; apus generate does.")
        }
    }

    func run() async throws {
        let directory = try modelOptions.directory(quiet: quiet)
        let tokenizer = try modelOptions.tokenizer(of: directory)
        let template = try templateOptions.choice()
        try tokenizer.checkTemplate(template)
        let model = try modelOptions.oneByOne(
            directory, deviceOptions.settings, contextLength: modelOptions.contextLength)
        let session = ChatSession(
            model, tokenizer, try generationOptions.config(), template: template, system: system)
        try await converse(session)
    }

    private func converse(_ session: ChatSession) async throws {
        let running = RunningAnswer()
        let watch = SignalWatch([SIGINT]) { _ in running.stop() }
        defer { withExtendedLifetime(watch) {} }
        let isTerminal = isatty(STDIN_FILENO) == 1
        if isTerminal, !quiet {
            StandardError.write("/exit or Ctrl-D ends, Ctrl-C stops an answer, /clear begins anew")
        }
        var isWarned = false
        let lines = try LineReader(path: "-")
        while true {
            if isTerminal { try OutputDescriptor.standardOutput.write("> ".utf8) }
            guard var bytes = try lines.next() else { break }
            if bytes.last == 0x0D { bytes.removeLast() }
            guard let line = String(validating: bytes, as: UTF8.self) else {
                StandardError.write("Error: the line is not UTF-8")
                continue
            }
            switch ChatLine(line) {
            case .message(let text): isWarned = try await answer(text, session, running, isWarned) || isWarned
            case .clear: await session.clear()
            case .system(let text): await session.begin(system: text)
            case .save(let path): await save(session, path)
            case .exit: return
            case .unknown(let word):
                StandardError.write("\(word.quoted): there are /clear, /system TEXT, /save FILE and /exit")
            }
        }
        if isTerminal { try OutputDescriptor.standardOutput.write("\n".utf8) }
    }

    /// Whether the conversation has become longer than what the model was made for, which is said once.
    private func answer(
        _ text: String, _ session: ChatSession, _ running: RunningAnswer, _ isWarned: Bool
    ) async throws -> Bool {
        guard !text.allSatisfy(\.isWhitespace) else { return false }
        let task = Task {
            try await session.answer(text) { try OutputDescriptor.standardOutput.write($0.utf8) }
        }
        running.begin(task)
        defer { running.end() }
        do {
            let usage = try await task.value
            try OutputDescriptor.standardOutput.write("\n".utf8)
            if verbose {
                StandardError.write(
                    "\(usage.promptTokens) tokens, \(usage.cachedTokens) of them from the cache; \(usage.newTokens) new"
                )
            }
            if usage.passesTraining, !isWarned, !quiet { StandardError.write(session.remarkOnLength) }
            return usage.passesTraining
        } catch is CancellationError {
            try OutputDescriptor.standardOutput.write("\n".utf8)
        } catch let error as RunError {
            // Nobody reads the answers any more.
            throw error
        } catch {
            StandardError.write("Error: \(error)")
        }
        return false
    }

    private func save(_ session: ChatSession, _ path: String) async {
        do {
            try FileContents.create(path, Array((await session.line.serialized + "\n").utf8))
            if !quiet { StandardError.write("saved to \(path)") }
        } catch {
            StandardError.write("Error: \(error)")
        }
    }
}

/// The answer that a signal stops, wherever it stands: from the reading of the prompt on.
private final class RunningAnswer: Sendable {
    private let task = Mutex<Task<ChatSession.Usage, any Error>?>(nil)

    func begin(_ answer: Task<ChatSession.Usage, any Error>) { task.withLock { $0 = answer } }
    func end() { task.withLock { $0 = nil } }
    func stop() { task.withLock { $0 }?.cancel() }
}
