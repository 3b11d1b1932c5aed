import ApusRuns
import ArgumentParser

/// A worker of `apus generate`, started by its coordinator.
struct WorkerCommand: AsyncParsableCommand {
    static let name = "_worker"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)

    func run() async throws {
        do {
            try await WorkerProcess.serve()
        } catch {
            // The coordinator says it, once for all workers.
            throw ExitCode.failure
        }
    }
}
