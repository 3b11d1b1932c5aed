import ApusDistributed
import ArgumentParser

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A worker of `apus bench`, started by its coordinator.
struct BenchWorkerCommand: AsyncParsableCommand {
    static let name = "_bench-worker"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)

    @Option var settings: String

    func run() async throws {
        let settings = try JSONDecoder().decode(BenchWorkerSettings.self, from: Data(settings.utf8))
        let channel = try await WorkerChannel.connect()
        do {
            try await BenchWorker(settings: settings, channel: channel).run()
        } catch {
            await channel.fail("\(error)")
            throw ExitCode.failure
        }
    }
}
