import ArgumentParser

@main
struct ApusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Runs language models over every device you have, from plain Hugging Face checkpoints.",
        version: EnvCommand.version,
        subcommands: [
            GenerateCommand.self, LaunchCommand.self, TokenizeCommand.self, QuantizeCommand.self, BenchCommand.self,
            EnvCommand.self,
            WorkerCommand.self, BenchWorkerCommand.self,
        ])

    static func main() async {
        await main(FlagSpelling.withDashes(Array(CommandLine.arguments.dropFirst())))
    }
}
