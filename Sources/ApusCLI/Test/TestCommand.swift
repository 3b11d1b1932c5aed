import Apus
import ApusCPU
import ApusDistributed
import ApusRuns
import ArgumentParser

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct TestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "See whether everything works here: processes, what they tell each other, and a model.",
        discussion: """
            Starts processes as `apus launch` does, tries every call that they make together, shares out prompts, and has \
            each of them run a model, whose tokens must be the same on all. A line for each check, `ok` or `failed`; the \
            exit status is 0 if all are ok.

            EXAMPLES
              apus test
              apus test -n 4 --model DIR
            """)

    @Option(name: [.customShort("n"), .customLong("num-processes")], help: "How many processes to start.")
    var numProcesses = 2

    @Option(
        help: ArgumentHelp(
            "Directory of a Hugging Face checkpoint, or the name of one in the hub's cache; by default the demo model.",
            valueName: "model"), completion: .directory)
    var model: String?

    @Option(help: ArgumentHelp("Seconds that a check may take.", valueName: "seconds"))
    var timeout = 60.0

    func validate() throws {
        try check("--num-processes", [numProcesses], in: Self.countBounds)
        guard (0.1...86400).contains(timeout) else {
            throw ValidationError("--timeout must be from 0.1 to 86400 seconds, not \(timeout)")
        }
    }

    func run() async throws {
        if let complaint = StrayCopies.complaint(ProcessInfo.processInfo.environment) {
            StandardError.write("Error: \(complaint)")
            throw ExitCode.failure
        }
        let checks = CheckLines()
        await checks.check("kernels") {
            let set = try CPUDevice(threads: 1).instructionSet
            return "\(set), \(ProcessorCount.available) cores"
        }
        let path = try model ?? DemoModel.directoryOfCommand()
        await checks.check("processes") {
            let command = [
                try RunningProgram.pathForWorkers(), TestRankCommand.name, "--timeout", "\(timeout)", "--model", path,
            ]
            let outcome = try await Launcher(count: numProcesses, command: command).run()
            if let message = outcome.message { throw RunError(message) }
            guard outcome.code == 0 else { throw RunError("a check between processes failed") }
            return "\(numProcesses) began, and ended by themselves"
        }
        if !checks.allAreFine { throw ExitCode.failure }
    }
}

/// Writes a line for each check.
final class CheckLines {
    private(set) var allAreFine = true

    nonisolated(nonsending) func check(_ name: String, _ body: () async throws -> String) async {
        do {
            write(name, try await body(), isFine: true)
        } catch {
            write(name, "\(error)", isFine: false)
        }
    }

    func write(_ name: String, _ words: String, isFine: Bool) {
        allAreFine = allAreFine && isFine
        let line = (isFine ? "ok      " : "failed  ") + name + ": " + words.replacing("\n", with: " ") + "\n"
        try? OutputDescriptor.standardOutput.write(line.utf8)
    }
}
