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

    func run() async throws {
        let channel = try await WorkerChannel.connect()
        do {
            let settings = try JSONDecoder().decode(
                BenchWorkerSettings.self, from: Data(try await channel.settings()))
            try await BenchWorker(settings: settings, channel: channel).run()
        } catch {
            await channel.fail("\(error)", endsRun: true)
            throw ExitCode.failure
        }
    }
}
