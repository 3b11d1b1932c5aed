import Apus
import ApusCompute
import ApusDistributed
import ApusJSON
import ApusRuns
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The coordinator's side of one round: starts fresh workers, opens their gates, hands out the prompts and notes what
/// came of them.
final class BenchCoordinator: PoolObserver {
    private struct State {
        var round = BenchRound()
        /// They go with the run, whoever still holds this object then.
        var gates: StartingGates?
        /// Workers that have come to the end of each phase.
        var arrived: [Int]
        var start = 0.0
        /// Of each worker, by cause.
        var transfers: [Int: [Int]] = [:]
    }

    private let settings: BenchWorkerSettings
    private let processes: Int
    private let prompts: [[Int]]
    private let workerArguments: [String]
    private let gateDirectory: String
    private let state: Mutex<State>

    /// - Parameters:
    ///   - prompts: token ids; none for a round of solos alone.
    ///   - workerArguments: with which this program is a worker.
    init(_ settings: BenchWorkerSettings, processes: Int, prompts: [[Int]], workerArguments: [String]) throws {
        let gates = try StartingGates(count: settings.phases)
        gateDirectory = gates.directory
        self.settings = settings
        self.processes = processes
        self.prompts = prompts
        self.workerArguments = workerArguments
        var state = State(gates: gates, arrived: [Int](repeating: 0, count: settings.phases))
        state.round.solos = settings.solos.map { _ in BenchRound.Solo() }
        self.state = Mutex(state)
    }

    /// Runs the round. Blocks nothing; returns when the last worker has ended. Throws `DistributedError` with a worker's
    /// own words when it cannot go on.
    func run() async throws -> BenchRound {
        defer { state.withLock { $0.gates = nil } }
        let program = try RunningProgram.pathForWorkers()
        var settings = settings
        settings.gates = gateDirectory
        settings.started = MonotonicClock.seconds
        // Each worker takes one job of a phase and then waits at its gate, so none can take another's.
        let phases = (0..<settings.phases * processes).map { WorkItem(index: $0, payload: []) }
        let timed = prompts.enumerated().map { index, ids in
            WorkItem(
                index: phases.count + index,
                payload: Array(JSONValue.array(ids.map { .integer($0) }).serialized.utf8))
        }
        let pool = WorkerPool(
            workers: processes, command: [program] + workerArguments,
            settings: Array(try JSONEncoder().encode(settings)), policy: .measuring)
        _ = try await pool.run(JobList(phases + timed), observer: self)
        return state.withLock { $0.round }
    }

    func keep(_ results: [WorkResult]) throws {
        try state.withLock { state in
            for result in results { try receive(result, &state) }
        }
    }

    private func receive(_ result: WorkResult, _ state: inout State) throws {
        guard let reply = try result.payload.withUnsafeBytes({ try JSONValue(parsing: $0) }).object else {
            throw RunError("rank \(result.rank) sent a result that cannot be read")
        }
        let phase = result.index / processes
        guard phase < settings.phases else { return receivePrompt(reply, of: result.rank, &state) }
        switch phase {
        case 0:
            state.round.dtype = reply["dtype"]?.string ?? ""
            state.round.format = reply["format"]?.string.flatMap { WeightFormat(name: $0) } ?? .float32
            state.round.loadSeconds = max(state.round.loadSeconds, reply["load_seconds"]?.double ?? 0)
            state.round.firstTokenSeconds = max(
                state.round.firstTokenSeconds, reply["first_token_seconds"]?.double ?? 0)
        case 1: state.round.memoryBytes += reply["memory_bytes"]?.integer ?? 0
        default: receiveSolo(reply, &state.round.solos[phase - 2])
        }
        state.arrived[phase] += 1
        guard state.arrived[phase] == processes else { return }
        if phase == settings.phases - 1 { state.start = MonotonicClock.seconds }
        state.gates?.open(phase)
    }

    private func receiveSolo(_ reply: JSONObject, _ solo: inout BenchRound.Solo) {
        if let error = reply["error"]?.string { solo.error = error }
        solo.firstTokenSeconds = max(solo.firstTokenSeconds, reply["first_token_seconds"]?.double ?? 0)
        solo.prefillTokensPerSecond += reply["prefill_tokens_per_second"]?.double ?? 0
        if let rate = reply["decode_tokens_per_second"]?.double {
            solo.decodeTokensPerSecond = (solo.decodeTokensPerSecond ?? 0) + rate
        }
    }

    private func receivePrompt(_ reply: JSONObject, of rank: Int, _ state: inout State) {
        state.round.seconds = MonotonicClock.seconds - state.start
        state.round.tokens += reply["tokens"]?.integer ?? 0
        state.round.requestFirstTokens.append(reply["first_seconds"]?.double ?? 0)
        // Each worker tells all that its devices have sent so far.
        state.transfers[rank] = (reply["transfers"]?.array ?? []).compactMap(\.integer)
        for (index, cause) in TransferLedger.Cause.allCases.enumerated() {
            state.round.transfers[cause] = state.transfers.values.reduce(0) {
                $0 + ($1.indices.contains(index) ? $1[index] : 0)
            }
        }
        state.round.gaps += (reply["gaps_microseconds"]?.array ?? []).compactMap(\.double).map { $0 * 1e-6 }
    }
}
