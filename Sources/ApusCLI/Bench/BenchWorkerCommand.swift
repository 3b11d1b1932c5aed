import ApusBench
import ApusDistributed
import ArgumentParser

/// A worker of `apus bench`, started by its coordinator.
struct BenchWorkerCommand: AsyncParsableCommand {
    static let name = "_bench-worker"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)

    func run() async throws {
        let channel = try await WorkerChannel.connect()
        do {
            try await BenchWorkerProcess.serve(channel)
        } catch {
            // The coordinator says it, once for all workers.
            throw ExitCode.failure
        }
    }
}
