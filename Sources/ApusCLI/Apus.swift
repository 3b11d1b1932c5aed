import ApusDistributed
import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@main
struct ApusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Runs language models over every device you have, from plain Hugging Face checkpoints.",
        version: BuildDescription.text,
        subcommands: [
            GenerateCommand.self, ChatCommand.self, MergeCommand.self, PlanCommand.self, LaunchCommand.self,
            TokenizeCommand.self, PerplexityCommand.self,
            QuantizeCommand.self,
            DownloadCommand.self, ModelsCommand.self,
            BenchCommand.self, SimulateCommand.self,
            EnvCommand.self, TestCommand.self,
            ManualCommand.self, WorkerCommand.self, BenchWorkerCommand.self, TestWorkerCommand.self,
            TestRankCommand.self,
        ])

    /// What the system lacks now it may have later, which a scheduler reads in the exit code of a run with a file for output.
    private static func checkHeadroom(_ arguments: [String]) throws {
        do {
            try Headroom.check()
        } catch {
            guard arguments.first == GenerateCommand.configuration.commandName, arguments.contains("--output") else {
                throw error
            }
            StandardError.write("Error: \(error)")
            throw RunExitCode.tryAgain
        }
    }

    static func main() async {
        let arguments = FlagSpelling.withDashes(Array(CommandLine.arguments.dropFirst()))
        do {
            try checkHeadroom(arguments)
            var command = try parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
        } catch {
            if arguments.first == GenerateCommand.configuration.commandName, let hint = GenerateCommand.hint(for: error)
            {
                StandardError.write("Error: \(hint)")
                end(by: ExitCode.validationFailure)
            }
            end(by: error)
        }
        end(by: ExitCode.success)
    }

    /// Says what is to be said and ends the process at once: threads that are still at work must not see what exit() takes down
    /// around them.
    private static func end(by error: any Error) -> Never {
        let (code, message) = (exitCode(for: error), fullMessage(for: error))
        if !message.isEmpty { if code == .success { print(message) } else { StandardError.write(message) } }
        fflush(nil)
        _exit(code.rawValue)
    }
}
