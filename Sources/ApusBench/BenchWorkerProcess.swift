package import ApusDistributed

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The side of a benchmark that other processes of the same program are.
public enum BenchWorkerProcess {
    /// Whether this process was started as a worker. A program that measures asks this first, and calls `serve` if so;
    /// one that has workers of runs as well tells them apart by `Benchmark.workerArguments`.
    public static var isOne: Bool { WorkerChannel.isNamed }

    /// Does a worker's work. Returns when there is no more to do.
    /// Throws what ended the worker; the coordinator has been told, and says it.
    public static func serve() async throws { try await serve(.connect()) }

    /// The same for a program that has connected already.
    package static func serve(_ channel: WorkerChannel) async throws {
        do {
            let settings = try JSONDecoder().decode(
                BenchWorkerSettings.self, from: Data(try await channel.settings()))
            try await BenchWorker(settings: settings, channel: channel).run()
        } catch {
            await channel.fail("\(error)", endsRun: true)
            throw error
        }
    }
}
