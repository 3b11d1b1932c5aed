import ApusJSON
import ApusRuns
import ArgumentParser

/// Writes the manual, a page for the program and one for each verb; what `make install` puts beside it.
struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "_manual", shouldDisplay: false)

    @Argument var directory: String

    func run() throws {
        // What ArgumentParser tells tools about a command: the one place that knows every flag.
        let description = try JSONValue(parsing: ApusCommand._dumpHelp())
        guard let program = description["command"].flatMap(DescribedCommand.init) else {
            throw RunError("the description of this program cannot be read")
        }
        let verbs = program.subcommands.filter { $0.name != "help" }
        try write(ManualPage(of: program, verbs: verbs))
        for verb in verbs { try write(ManualPage(of: verb, in: program)) }
    }

    private func write(_ page: ManualPage) throws {
        let output = try OutputDescriptor(creating: "\(directory)/\(page.name).1")
        defer { output.close() }
        try output.write(page.text.utf8)
    }
}
