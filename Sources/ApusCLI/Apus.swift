import ArgumentParser

@main
struct ApusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Runs language models over every device you have, from plain Hugging Face checkpoints.",
        subcommands: [
            GenerateCommand.self, TokenizeCommand.self, WorkerCommand.self,
        ])
}
