import ApusRuns

/// Runs made by hand.
enum ExampleRecord {
    /// What a message may hold that a page must not take for its own.
    static let hostile = #"rank 1 died: <script>alert("x")</script> & 'so' </td> \u{202e}"# + "\u{1b}[31m\u{202e}\nnext"

    /// A run that took 100 s, with a sample a second, a death in the middle, and a tail of 8 s.
    static func run(ranks count: Int) -> RunRecord {
        var record = RunRecord()
        record.version = "1.2.3"
        record.instructionSet = "avx2"
        record.model = "/models/a <b>bold</b> one"
        record.input = #"prompts "of" today.jsonl"#
        record.output = "out & about.jsonl"
        record.startedAt = "2026-03-04T05:06:07Z"
        record.ending = .finished
        record.seconds = 100
        record.firstDispatchSeconds = 2
        record.firstResultSeconds = 5.5
        record.tailSeconds = count > 1 ? 8 : 0
        record.prompts = 1200
        record.finished = 1200
        record.ranks = (0..<count).map { rank in
            var value = RunRecord.Rank(rank: rank)
            value.state = .idle
            value.prompts = 1200 / count
            value.tokens = 4900 + rank
            value.steps = 700
            value.stepSeconds = 90
            value.longestStepSeconds = 0.25
            value.lastBusySeconds = 100 - (count > 1 ? 8 * Double(count - 1 - rank) / Double(count - 1) : 0)
            return value
        }
        record.tokens = record.ranks.reduce(0) { $0 + $1.tokens }
        record.promptTokens = 33_000
        record.samples = (1...100).map { second in
            RunRecord.Sample(
                seconds: Double(second), prompts: 12 * second,
                tokens: record.ranks.map { max($0.tokens * (second - 2), 0) / 98 + (second % 7) * 3 })
        }
        record.stepTime.steps = 700 * count
        record.stepTime.tokens = 5000
        record.stepTime.seconds = 90
        record.stepTime.baseMilliseconds = 12
        record.stepTime.millisecondsPerToken = 0.5
        return record
    }

    /// The same with results that are errors and ranks that failed.
    static func troubled(ranks count: Int) -> RunRecord {
        var record = run(ranks: count)
        record.exitCode = 1
        record.errors = 3
        let rank = min(1, count - 1)
        record.ranks[rank].restarts = 2
        record.events = [
            RunRecord.Event(seconds: 31.5, rank: rank, kind: "death", message: hostile),
            RunRecord.Event(seconds: 64, rank: rank, kind: "hang", message: "rank \(rank) hangs: no step for 30 s"),
        ]
        return record
    }

    /// One that ended before there was anything to tell.
    static var failed: RunRecord {
        var record = RunRecord()
        record.ending = .failed
        record.exitCode = 2
        record.failure = "/models/none: <no> such \"directory\""
        record.seconds = 0.01
        record.ranks = [RunRecord.Rank(rank: 0)]
        return record
    }
}
