import Apus
import ApusDistributed
import ApusJSON

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The coordinator's side of `apus generate`: hands out prompts, longest first, and writes results in their order.
final class GenerationRun {
    private(set) var failures = 0

    private let prompts: [Prompt]
    private let settings: WorkerSettings
    private let sink: ResultSink
    private var progress: ProgressLine
    private var done = 0
    private var tokens = 0
    private var tokensByRank: [Int: Int] = [:]
    private var said: Set<String> = []
    private let start = ContinuousClock.now

    init(prompts: [Prompt], settings: WorkerSettings, sink: ResultSink, progress: ProgressLine) {
        self.prompts = prompts
        self.settings = settings
        self.sink = sink
        self.progress = progress
    }

    func run() async throws {
        defer { progress.clear() }
        let jobs = prompts.indices.sorted { prompts[$0].length > prompts[$1].length }.map { index in
            WorkItem(index: index, payload: Array(prompts[index].payload.serialized.utf8))
        }
        do {
            if settings.processes == 1 { try await runHere(jobs) } else { try await runWorkers(jobs) }
        } catch {
            try? sink.putRest()
            guard done > 0, !(error is CommandError) else { throw error }
            let place = sink.partial.map { " in \($0)" } ?? ""
            throw CommandError("\(error); \(done) of \(prompts.count) prompts were finished and are kept\(place)")
        }
    }

    /// One process needs no others: the worker runs here.
    private func runHere(_ jobs: [WorkItem]) async throws {
        let (events, source) = LocalWorkQueue.make(jobs)
        let worker = try await GenerationWorker.load(settings, jobs: jobs.count, rank: 0)
        let serving = Task {
            defer { source.close() }
            try await worker.serve(source)
        }
        defer { serving.cancel() }
        for await event in events {
            switch event {
            case .result(let result): try receive(result)
            case .progress(let total): report(total, from: 0)
            }
        }
        try await serving.value
    }

    private func runWorkers(_ jobs: [WorkItem]) async throws {
        let encoded = String(decoding: try JSONEncoder().encode(settings), as: UTF8.self)
        guard let program = RunningProgram.path else {
            throw CommandError("cannot find this program's own file to start workers from")
        }
        // More workers than prompts would have nothing to do.
        let workers = min(settings.processes, jobs.count)
        let pool = WorkerPool(
            workers: workers,
            command: [program, WorkerCommand.name, "--jobs", String(jobs.count), "--settings", encoded])
        try await pool.run(
            jobs: jobs, onProgress: { rank, total in self.report(total, from: rank) },
            onResult: { try self.receive($0) })
    }

    private func receive(_ result: WorkResult) throws {
        guard prompts.indices.contains(result.index),
            let reply = try result.payload.withUnsafeBytes({ try JSONValue(parsing: $0) }).object
        else { throw CommandError("rank \(result.rank) sent a result that cannot be read") }
        let prompt = prompts[result.index]
        done += 1
        tokens += reply["num_tokens"]?.integer ?? 0
        progress.clear()
        if let error = reply["error"]?.string {
            failures += 1
            StandardError.write("prompt \(result.index): \(error)")
        }
        for remark in reply[ResultLine.remarks]?.array?.compactMap(\.string) ?? []
        where said.insert(remark).inserted && !settings.quiet {
            StandardError.write(remark)
        }
        let line =
            sink.isReadable
            ? ResultLine.readable(prompt: prompt, reply: reply, rank: result.rank)
            : JSONValue.object(
                ResultLine.line(index: result.index, prompt: prompt, reply: reply, rank: result.rank)
            ).serialized
        try sink.put(line, at: result.index)
        progress.update(done: done, tokens: max(tokens, tokensByRank.values.reduce(0, +)))
    }

    private func report(_ total: Int, from rank: Int) {
        tokensByRank[rank] = total
        progress.update(done: done, tokens: tokensByRank.values.reduce(0, +))
    }

    /// The last line of a run. The time includes loading the model.
    var summary: String {
        let seconds = max((ContinuousClock.now - start) / .seconds(1), 1e-9)
        return "tokens/sec: \(ProgressLine.rounded(Double(tokens) / seconds)), time elapsed: "
            + "\(ProgressLine.rounded(seconds)) s, num_tokens \(tokens), prompts \(prompts.count)"
    }
}
