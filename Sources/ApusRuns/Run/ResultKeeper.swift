import ApusDistributed
import ApusJSON
import Synchronization

/// Keeps results: in the journal first, then in their order in the output.
final class ResultKeeper: PoolObserver {
    private struct State {
        var results: OrderedResults?
        var said: Set<String> = []
    }

    private let jobs: PromptJobs
    private let journal: Journal?
    private let history: RunHistory
    private let observer: any RunObserver
    private let isReadable: Bool
    private let state: Mutex<State>

    /// - Parameter results: `nil` where the output is made at the end.
    init(
        jobs: PromptJobs, journal: Journal?, results: sending OrderedResults?, history: RunHistory,
        observer: any RunObserver, isReadable: Bool
    ) {
        self.jobs = jobs
        self.journal = journal
        self.history = history
        self.observer = observer
        self.isReadable = isReadable
        state = Mutex(State(results: results))
    }

    func keep(_ results: [WorkResult]) throws {
        var records: [JournalRecord.Result] = []
        var replies: [Reply] = []
        for result in results {
            guard let reply = Reply(result.payload) else {
                throw RunError("rank \(result.rank) sent a result that cannot be read", code: .tryAgain)
            }
            replies.append(reply)
            records.append(
                JournalRecord.Result(
                    index: result.index, digest: jobs.takeDigest(of: result.index), rank: result.rank,
                    tokens: reply.tokens, promptTokens: reply.promptTokens, isError: reply.isError, line: reply.line))
        }
        try journal?.append(records.map(JournalRecord.result))
        for (record, reply) in zip(records, replies) {
            history.finish(
                rank: record.rank, tokens: reply.tokens, promptTokens: reply.promptTokens, isError: reply.isError)
            if let error = reply.error { observer.failure(ofPrompt: record.index, error) }
            for remark in reply.remarks { say(remark) }
        }
        try put(records)
        observer.advanced()
    }

    /// Takes a result that the journal has.
    func resume(_ result: JournalRecord.Result) throws {
        history.resume(isError: result.isError)
        try put([result])
    }

    private func put(_ records: [JournalRecord.Result]) throws {
        try state.withLock { state in
            guard let results = state.results else { return }
            try results.put(
                records.map { record in
                    isReadable
                        ? (record.index, Array(try ResultLine.readable(record.line, rank: record.rank).utf8))
                        : (record.index, record.line)
                })
        }
    }

    /// A run without a journal that fails writes what has come.
    func putRest() throws { try state.withLock { try $0.results?.putRest() } }

    func result(ofCondemned item: WorkItem, reason: String) -> [UInt8] {
        let prompt = (try? PromptLine(index: item.index, payload: item.payload).prompt()) ?? Prompt(content: .text(""))
        let line = ResultLine.line(index: item.index, prompt: prompt, error: reason)
        var reply = Reply(line: Array(JSONValue.object(line).serialized.utf8))
        reply.isError = true
        reply.error = reason
        return reply.payload
    }

    func note(_ event: PoolEvent) {
        history.note(event)
        if case .incident(let incident) = event { observer.incident(incident.message) }
    }

    private func say(_ remark: String) {
        let isNew = state.withLock { $0.said.insert(remark).inserted }
        if isNew { observer.remark(remark) }
    }
}
