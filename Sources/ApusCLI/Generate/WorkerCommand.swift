import ApusDistributed
import ArgumentParser

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A worker of `apus generate`, started by its coordinator.
struct WorkerCommand: AsyncParsableCommand {
    static let name = "_worker"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)

    @Option var jobs: Int
    @Option var settings: String

    func run() async throws {
        let settings = try JSONDecoder().decode(WorkerSettings.self, from: Data(settings.utf8))
        let channel = try await WorkerChannel.connect()
        do {
            try await GenerationWorker.load(settings, jobs: jobs, rank: channel.rank).serve(channel)
        } catch {
            // The coordinator says it, once for all workers.
            await channel.fail("\(error)")
            throw ExitCode.failure
        }
    }
}
