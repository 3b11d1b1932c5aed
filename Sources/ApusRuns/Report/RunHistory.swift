import ApusDistributed
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Keeps a run's record while it lasts.
final class RunHistory: Sendable {
    private struct State {
        var record = RunRecord()
        var interval = 0.1
        var lastSample = -1.0
        var reports: [WorkerReport]
        /// New tokens of each rank's results, which a short run has before any report.
        var resultTokens: [Int]
    }

    private let state: Mutex<State>
    private let start = ContinuousClock.now

    init(ranks: Int) {
        var state = State(
            reports: Array(repeating: WorkerReport(), count: ranks), resultTokens: Array(repeating: 0, count: ranks))
        state.record.ranks = (0..<ranks).map { RunRecord.Rank(rank: $0) }
        state.record.startedAt = Date.now.formatted(.iso8601)
        self.state = Mutex(state)
    }

    private var now: Double { (ContinuousClock.now - start) / .seconds(1) }

    /// As it is now.
    var record: RunRecord {
        let now = now
        return state.withLock { state in
            var record = state.record
            if record.ending == .running { record.seconds = now }
            let tokens = record.ranks.reduce(0) { $0 + $1.tokens }
            record.tokens = max(record.tokens, record.ending == .running ? tokens : 0)
            record.stepTime = Self.stepTime(state.reports)
            return record
        }
    }

    func change(_ body: @Sendable (inout RunRecord) -> Void) { state.withLock { body(&$0.record) } }

    /// A result of an earlier run.
    func resume(isError: Bool) {
        state.withLock { state in
            state.record.finished += 1
            state.record.resumed += 1
            if isError { state.record.errors += 1 }
        }
    }

    func finish(rank: Int, tokens: Int, promptTokens: Int, isError: Bool) {
        state.withLock { state in
            state.record.finished += 1
            if isError { state.record.errors += 1 }
            state.record.tokens += tokens
            state.record.promptTokens += promptTokens
            if state.record.ranks.indices.contains(rank) {
                state.record.ranks[rank].prompts += 1
                state.resultTokens[rank] += tokens
                state.record.ranks[rank].tokens = max(state.record.ranks[rank].tokens, state.resultTokens[rank])
            }
            let now = now
            if state.record.firstResultSeconds == nil { state.record.firstResultSeconds = now }
            sample(&state, now)
        }
    }

    func note(_ event: PoolEvent) {
        state.withLock { state in
            let now = now
            switch event {
            case .state(let rank, let new):
                if case .running = new, state.record.firstDispatchSeconds == nil {
                    state.record.firstDispatchSeconds = now
                }
                Self.note(new, at: now, &state.record.ranks[rank])
            case .report(let rank, let report):
                state.reports[rank] = report
                state.record.ranks[rank].tokens = max(report.tokens, state.resultTokens[rank])
                state.record.ranks[rank].steps = report.steps
                state.record.ranks[rank].stepSeconds = report.stepSeconds
                state.record.ranks[rank].longestStepSeconds = report.longestStep
                state.record.ranks[rank].kvBytes = report.kvBytes
                state.record.ranks[rank].hiddenBytes = report.hiddenBytes
                state.record.ranks[rank].choiceBytes = report.choiceBytes
                sample(&state, now)
            case .incident(let incident):
                // Of a run that goes on for weeks, the last are enough.
                if state.record.events.count == 1000 { state.record.events.removeFirst(500) }
                state.record.events.append(
                    RunRecord.Event(
                        seconds: now, rank: incident.rank, kind: incident.kind.rawValue, message: incident.message))
            }
        }
    }

    private static func note(_ new: WorkerState, at now: Double, _ rank: inout RunRecord.Rank) {
        let wasBusy = rank.inFlight > 0
        rank.inFlight = 0
        switch new {
        case .loading:
            if rank.state == .restarting { rank.restarts += 1 }
            rank.state = .loading
        case .running(let count):
            rank.inFlight = count
            rank.state = .running
        case .idle: rank.state = .idle
        case .restarting: rank.state = .restarting
        case .gone: rank.state = .gone
        }
        if wasBusy || rank.inFlight > 0 { rank.lastBusySeconds = now }
    }

    func end(_ ending: RunRecord.Ending, failure: String? = nil) {
        let now = now
        state.withLock { state in
            guard state.record.ending == .running else { return }
            state.lastSample = -1
            sample(&state, now)
            state.record.ending = ending
            state.record.failure = failure
            state.record.seconds = now
            let firstIdle = state.record.ranks.filter { $0.prompts > 0 }.map(\.lastBusySeconds).min()
            state.record.tailSeconds = firstIdle.map { max(now - $0, 0) } ?? 0
        }
    }

    private func sample(_ state: inout State, _ now: Double) {
        guard now - state.lastSample >= state.interval else { return }
        state.lastSample = now
        let record = state.record
        state.record.samples.append(
            RunRecord.Sample(
                seconds: now, prompts: record.finished - record.resumed, tokens: record.ranks.map(\.tokens)))
        guard state.record.samples.count == RunRecord.sampleLimit else { return }
        // The longer the run, the coarser.
        state.record.samples = state.record.samples.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        state.interval *= 2
    }

    /// Least squares over all steps of all ranks.
    private static func stepTime(_ reports: [WorkerReport]) -> RunRecord.StepTime {
        let sum = reports.reduce(WorkerReport()) { $0 + $1 }
        var time = RunRecord.StepTime()
        time.steps = sum.steps
        time.tokens = sum.stepTokens
        time.seconds = sum.stepSeconds
        let count = Double(sum.steps)
        let spread = count * sum.squaredTokens - sum.stepTokens * sum.stepTokens
        guard count > 1 else { return time }
        let slope = spread > 0 ? (count * sum.tokenSeconds - sum.stepTokens * sum.stepSeconds) / spread : 0
        time.millisecondsPerToken = max(slope, 0) * 1e3
        time.baseMilliseconds = max((sum.stepSeconds - max(slope, 0) * sum.stepTokens) / count, 0) * 1e3
        return time
    }
}
