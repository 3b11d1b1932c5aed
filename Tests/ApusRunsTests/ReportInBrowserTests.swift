import ApusJSON
import ApusRuns
import ApusTestSupport
import Foundation
import Testing

/// What a browser makes of a report. APUS_SCREENSHOTS names a directory for pictures of it.
@Suite(.serialized) struct ReportInBrowserTests {
    private static let script = Repository.root + "/Scripts/report-in-browser.py"

    /// Whether there are a Chromium and the Python that speaks to it.
    private static let hasBrowser: Bool = {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", script, "--find"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    private static let needs: Comment = "needs python3 and Chromium, which make browser installs"

    private func look(_ name: String, _ record: RunRecord, expect: JSONObject) async throws {
        let directory = try TemporaryDirectory()
        let page = try directory.write("report.html", record.reportPage)
        let expected = try directory.write("expect.json", JSONValue.object(expect).serialized)
        let shots = ProcessInfo.processInfo.environment["APUS_SCREENSHOTS"].map { ["--screenshots", "\($0)/\(name)"] }
        let outcome = try await CommandRun(
            "/usr/bin/env", ["python3", Self.script, page, "--expect", expected] + (shots ?? [])
        ).finish(within: .seconds(180))
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.error)")
    }

    @Test(.enabled(if: hasBrowser, needs)) func eightRanksWithFailures() async throws {
        let record = ExampleRecord.troubled(ranks: 8)
        let rows = record.ranks.map { rank in
            "\(rank.rank) 150 4,90\(rank.rank) \(rank.rank < 5 ? "49.0" : "49.1")"
        }
        let texts =
            [
                "1,200 of 1,200 prompts finished", "Finished; 3 results are errors", "1,200 / 1,200", "392",
                "39,228 tokens", "1 min 40 s", "exit status 1",
                "ran out of work 8.00 s before the end: 8.0 % of the time",
                "31.5 s 1 death rank 1 died: <script>alert(\"x\")</script> & 'so'", "1 min 4 s 1 hang rank 1 hangs",
                "/models/a <b>bold</b> one", "Rank 7",
            ] + rows
        try await look(
            "troubled", record,
            expect: [
                "texts": .array(texts.map { .string($0) }), "absent": ["No failures"],
                "tables": ["ranks": 8, "failures": 2, "bars": 8], "polylines": 9,
            ])
    }

    @Test(.enabled(if: hasBrowser, needs)) func oneRank() async throws {
        try await look(
            "one", ExampleRecord.run(ranks: 1),
            expect: [
                "texts": ["1,200 of 1,200 prompts finished", "No failures", "exit status 0", "One rank has no tail"],
                "tables": ["ranks": 1, "failures": 0], "polylines": 1,
            ])
    }

    @Test(.enabled(if: hasBrowser, needs)) func aRunThatFailedAtOnce() async throws {
        try await look(
            "failed", ExampleRecord.failed,
            expect: [
                "texts": [
                    "0 prompts finished", "Failed", "/models/none: <no> such \"directory\"", "too short for a curve",
                ],
                "absent": ["No failures"], "tables": ["ranks": 1], "polylines": 0,
            ])
    }
}
