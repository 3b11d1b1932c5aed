import Apus
import ApusCPU
import ApusDistributed
import ApusJSON

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The coordinator's side of one round: starts fresh workers, opens their gates, hands out the prompts and notes what
/// came of them.
final class BenchCoordinator {
    private let settings: BenchWorkerSettings
    private let processes: Int
    private let prompts: [[Int]]
    private let gates: StartingGates
    private var round = BenchRound()
    private var arrived: [Int]
    private var start = 0.0

    /// - Parameter prompts: token ids; none for a round of solos alone.
    init(_ settings: BenchWorkerSettings, processes: Int, prompts: [[Int]]) throws {
        gates = try StartingGates(count: settings.phases)
        self.settings = settings
        self.processes = processes
        self.prompts = prompts
        arrived = [Int](repeating: 0, count: settings.phases)
        round.solos = settings.solos.map { _ in BenchRound.Solo() }
    }

    /// Runs the round. Blocks nothing; returns when the last worker has ended. Throws `DistributedError` with a worker's
    /// own words when it cannot go on.
    func run() async throws -> BenchRound {
        guard let program = RunningProgram.path else {
            throw CommandError("cannot find this program's own file to start workers from")
        }
        var settings = settings
        settings.gates = gates.directory
        settings.started = MonotonicClock.seconds
        let encoded = String(decoding: try JSONEncoder().encode(settings), as: UTF8.self)
        // Each worker takes one job of a phase and then waits at its gate, so none can take another's.
        let phases = (0..<settings.phases * processes).map { WorkItem(index: $0, payload: []) }
        let timed = prompts.enumerated().map { index, ids in
            WorkItem(
                index: phases.count + index,
                payload: Array(JSONValue.array(ids.map { .integer($0) }).serialized.utf8))
        }
        let pool = WorkerPool(workers: processes, command: [program, BenchWorkerCommand.name, "--settings", encoded])
        try await pool.run(jobs: phases + timed) { try self.receive($0) }
        return round
    }

    private func receive(_ result: WorkResult) throws {
        guard let reply = try result.payload.withUnsafeBytes({ try JSONValue(parsing: $0) }).object else {
            throw CommandError("rank \(result.rank) sent a result that cannot be read")
        }
        let phase = result.index / processes
        guard phase < settings.phases else { return receivePrompt(reply) }
        switch phase {
        case 0:
            round.dtype = reply["dtype"]?.string ?? ""
            round.format = reply["format"]?.string.flatMap { WeightFormat(rawValue: $0) } ?? .float32
            round.loadSeconds = max(round.loadSeconds, reply["load_seconds"]?.double ?? 0)
            round.firstTokenSeconds = max(round.firstTokenSeconds, reply["first_token_seconds"]?.double ?? 0)
        case 1: round.memoryBytes += reply["memory_bytes"]?.integer ?? 0
        default: receiveSolo(phase - 2, reply)
        }
        arrived[phase] += 1
        guard arrived[phase] == processes else { return }
        if phase == settings.phases - 1 { start = MonotonicClock.seconds }
        gates.open(phase)
    }

    private func receiveSolo(_ index: Int, _ reply: JSONObject) {
        if let error = reply["error"]?.string { round.solos[index].error = error }
        round.solos[index].firstTokenSeconds = max(
            round.solos[index].firstTokenSeconds, reply["first_token_seconds"]?.double ?? 0)
        round.solos[index].prefillTokensPerSecond += reply["prefill_tokens_per_second"]?.double ?? 0
        if let rate = reply["decode_tokens_per_second"]?.double {
            round.solos[index].decodeTokensPerSecond = (round.solos[index].decodeTokensPerSecond ?? 0) + rate
        }
    }

    private func receivePrompt(_ reply: JSONObject) {
        round.seconds = MonotonicClock.seconds - start
        round.tokens += reply["tokens"]?.integer ?? 0
        round.requestFirstTokens.append(reply["first_seconds"]?.double ?? 0)
        round.gaps += (reply["gaps_microseconds"]?.array ?? []).compactMap(\.double).map { $0 * 1e-6 }
    }
}
