import ApusJSON
import ApusRuns
import Testing

@Suite struct ReportSummaryTests {
    private static let keys = [
        "version", "instruction_set", "model", "input", "output", "started_at", "ending", "exit_code", "failure",
        "seconds", "first_dispatch_seconds", "first_result_seconds", "tail_seconds", "prompts", "finished", "resumed",
        "errors", "tokens", "prompt_tokens", "tokens_per_second", "step_time", "ranks", "events", "samples",
    ]

    @Test(arguments: [1, 8])
    func holdsWhatTheRecordHolds(ranks: Int) throws {
        let record = ExampleRecord.troubled(ranks: ranks)
        let summary = try JSONValue(parsing: record.summaryText)
        #expect(summary.object?.map(\.key) == Self.keys)
        #expect(summary["exit_code"] == 1 && summary["ending"] == "finished" && summary["failure"] == .null)
        #expect(summary["model"]?.string == record.model && summary["output"]?.string == record.output)
        #expect(summary["tokens"]?.integer == record.tokens && summary["errors"] == 3)
        #expect(summary["tokens_per_second"]?.double == Double(record.tokens) / 100)
        #expect(summary["step_time"]?["base_milliseconds"]?.double == 12)
        let parts = try #require(summary["ranks"]?.array)
        #expect(parts.map { $0["rank"]?.integer } == Array(0..<ranks))
        #expect(parts.map { $0["tokens"]?.integer } == record.ranks.map(\.tokens))
        #expect(parts[0]["tokens_per_second"]?.double == 49)
        let events = try #require(summary["events"]?.array)
        #expect(events.map { $0["message"]?.string } == record.events.map(\.message))
        let samples = try #require(summary["samples"]?.array)
        #expect(samples.count == 100)
        #expect(samples[99]["tokens"]?.array?.compactMap(\.integer) == record.samples[99].tokens)
    }

    /// Whoever reads it need not ask whether a key is there.
    @Test func aRunWithoutAnythingHasAllKeys() throws {
        let summary = try JSONValue(parsing: RunRecord().summaryText)
        #expect(summary.object?.map(\.key) == Self.keys)
        #expect(summary["tokens_per_second"]?.double == 0 && summary["prompts"] == .null)
        #expect(summary["ranks"] == [] && summary["events"] == [] && summary["samples"] == [])
        let failed = try JSONValue(parsing: ExampleRecord.failed.summaryText)
        #expect(failed["failure"]?.string == ExampleRecord.failed.failure && failed["exit_code"] == 2)
    }

    /// So that two summaries can be compared line by line.
    @Test func aSampleIsALine() {
        let lines = ExampleRecord.troubled(ranks: 8).summaryText.split(separator: "\n")
        #expect(lines.count { $0.contains(#""prompts":"#) && $0.contains(#""tokens":["#) } == 100)
    }
}
