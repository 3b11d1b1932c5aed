import ApusRuns
import ApusTestSupport
import Foundation
import Testing

@Suite struct ReportFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    private func reports(
        _ paths: RunReports.Paths, input: PromptInput = .texts([]), output: String? = nil
    ) throws -> RunReports {
        try RunReports(paths, input: input, model: "/nowhere", output: output)
    }

    @Test func areReplacedAsAWhole() throws {
        try directory.write("real.json", "what was there")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path("real.json"))
        try FileManager.default.createSymbolicLink(atPath: path("link.json"), withDestinationPath: "real.json")
        let reports = try reports(
            RunReports.Paths(summary: path("link.json"), metrics: path("m.prom"), page: path("r.html")))
        // A trial leaves nothing.
        #expect(try directory.names == ["link.json", "real.json"])
        #expect(try String(contentsOfFile: path("real.json"), encoding: .utf8) == "what was there")
        let record = ExampleRecord.run(ranks: 2)
        #expect(reports.finish(record).isEmpty)
        #expect(try directory.names == ["link.json", "m.prom", "r.html", "real.json"])
        #expect(try String(contentsOfFile: path("real.json"), encoding: .utf8) == record.summaryText)
        let mode = try FileManager.default.attributesOfItem(atPath: path("real.json"))[.posixPermissions] as? Int
        #expect(mode == 0o640)
    }

    @Test func whatHasNoPlaceIsRefusedAtOnce() throws {
        for paths in [
            RunReports.Paths(summary: path("none/s.json")), RunReports.Paths(metrics: directory.path),
            RunReports.Paths(page: ""), RunReports.Paths(page: "-"),
        ] {
            let error = #expect(throws: RunError.self) { try reports(paths) }
            let name = paths.summary ?? paths.metrics ?? "--report"
            #expect(error.map { "\($0)".contains(name) && !"\($0)".contains("\n") } == true)
        }
    }

    /// A report that replaced the prompts would be a bad end of a run.
    @Test func neverTakeThePlaceOfWhatIsReadOrWritten() throws {
        let prompts = try directory.write("p.txt", "a dog\n")
        let dotted = directory.path + "/./"
        #expect(throws: RunError.self) {
            try reports(RunReports.Paths(summary: dotted + "p.txt"), input: .file(prompts))
        }
        for ending in ["", ".partial", ".journal"] {
            #expect(throws: RunError.self) {
                try reports(RunReports.Paths(metrics: dotted + "o.jsonl" + ending), output: path("o.jsonl"))
            }
        }
        #expect(throws: RunError.self) {
            try reports(RunReports.Paths(summary: path("x"), page: dotted + "x"))
        }
    }

    @Test func whatFailsAtTheEndIsSaidInALine() throws {
        let folder = path("folder")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let reports = try reports(RunReports.Paths(summary: folder + "/s.json", page: path("r.html")))
        try FileManager.default.removeItem(atPath: folder)
        let complaints = reports.finish(ExampleRecord.run(ranks: 1))
        #expect(complaints.count == 1 && complaints[0].contains("s.json cannot be written"))
        #expect(try directory.names == ["r.html"])
    }

    @Test(.timeLimit(.minutes(1))) func metricsAreThereWhileTheRunLasts() async throws {
        let reports = try reports(RunReports.Paths(summary: path("s.json"), metrics: path("m.prom")))
        let following = reports.follow({ RunRecord() }, remark: { _ in })
        while try directory.names != ["m.prom"] { try await Task.sleep(for: .milliseconds(5)) }
        #expect(
            try String(contentsOfFile: path("m.prom"), encoding: .utf8).contains(
                #"apus_run_ending{ending="running"} 1"#))
        following.cancel()
        await following.value
        #expect(reports.finish(ExampleRecord.run(ranks: 1)).isEmpty)
        // The last word stands.
        reports.finishIfNeeded(RunRecord())
        #expect(
            try String(contentsOfFile: path("m.prom"), encoding: .utf8).contains(
                #"apus_run_ending{ending="finished"} 1"#)
        )
    }
}
