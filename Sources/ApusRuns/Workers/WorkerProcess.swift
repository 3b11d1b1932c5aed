import ApusCompute
import ApusDistributed
import ApusGeneration

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The side of a run that other processes of the same program are.
public enum WorkerProcess {
    /// Whether this process was started as a worker of a run. A program that makes runs of several processes asks this first,
    /// and calls `serve` if so.
    public static var isOne: Bool { WorkerChannel.isNamed }

    /// Does a worker's work. Returns when there is no more to do.
    /// Throws what ended the worker; the coordinator has been told, and says it.
    public static func serve() async throws {
        let channel = try await WorkerChannel.connect()
        let pulse = try WorkerPulse(channel)
        defer { pulse.end() }
        let worker: GenerationWorker
        do {
            let settings = try JSONDecoder().decode(WorkerSettings.self, from: Data(try await channel.settings()))
            if let stand = try StandInWorker(ofEnvironment: channel.rank) {
                pulse.tell { stand.report }
                return try await stand.serve(channel)
            }
            worker = try await GenerationWorker.load(settings, rank: channel.rank)
        } catch {
            // Another try would find the same, unless it is memory that the system had not left.
            await channel.fail("\(error)", endsRun: !WorkerProcess.isOfTheMoment(error))
            throw error
        }
        pulse.tell(worker.report)
        do {
            try await worker.serve(channel)
        } catch {
            await channel.fail("\(error)", endsRun: error is GenerationWorker.BadLine)
            throw error
        }
    }

    /// Whether what went wrong may be otherwise in a moment.
    static func isOfTheMoment(_ error: any Error) -> Bool {
        switch error {
        case let error as GenerationError: [.outOfMemory, .resources].contains(error.code)
        case let error as ComputeError: error.code == .outOfMemory
        default: false
        }
    }
}
