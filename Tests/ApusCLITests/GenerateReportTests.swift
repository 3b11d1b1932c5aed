import ApusJSON
import ApusTestSupport
import Foundation
import Testing

/// `--summary`, `--metrics` and `--report`.
@Suite struct GenerateReportTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func path(_ name: String) -> String { directory.path + "/" + name }
    private func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }
    private func summary() throws -> JSONValue { try JSONValue(parsing: text("s.json")) }

    private var flags: [String] {
        ["--summary", path("s.json"), "--metrics", path("m.prom"), "--report", path("r.html")]
    }

    private func generate(_ arguments: [String]) async throws -> CommandRun.Outcome {
        try await CommandRun(BuiltProgram.apus, ["generate", "--max-new-tokens", "12"] + arguments).finish()
    }

    @Test func tellWhatTheOutputHolds() async throws {
        // The fourth is longer than any context.
        let prompts = (0..<12).map {
            #"{"prompt": "\#($0 == 3 ? String(repeating: "dog ", count: 9000) : "a dog \($0)")"}"#
        }
        try directory.write("p.jsonl", prompts.joined(separator: "\n"))
        let outcome = try await generate(
            ["-n", "2", "--batch-size", "2", "--prompts", path("p.jsonl"), "--output", path("o.jsonl")] + flags)
        #expect(outcome.code == 1, "\(outcome.error)")
        let results = try text("o.jsonl").split(separator: "\n").map { try JSONValue(parsing: $0) }
        func sum(_ key: String) -> Int { results.reduce(0) { $0 + ($1[key]?.integer ?? 0) } }

        let summary = try summary()
        #expect(summary["ending"] == "finished" && summary["exit_code"] == 1 && summary["errors"] == 1)
        #expect(summary["prompts"] == 12 && summary["finished"] == 12 && summary["resumed"] == 0)
        #expect(summary["tokens"]?.integer == sum("num_tokens") && sum("num_tokens") > 100)
        #expect(summary["prompt_tokens"]?.integer == sum("num_prompt_tokens"))
        let seconds = try #require(summary["seconds"]?.double)
        let rate = try #require(summary["tokens_per_second"]?.double)
        #expect(abs(rate * seconds / Double(sum("num_tokens")) - 1) < 1e-3)
        // The line that a person sees has the same numbers, rounded.
        let line = try #require(outcome.errorLines.last)
        #expect(line.contains("num_tokens \(sum("num_tokens")), prompts 12"), "\(line)")
        let ranks = try #require(summary["ranks"]?.array)
        #expect(ranks.compactMap { $0["rank"]?.integer } == [0, 1])
        #expect(ranks.reduce(0) { $0 + ($1["prompts"]?.integer ?? 0) } == 12)
        // What an idle rank took over from a slow one, both have made tokens of.
        let made = ranks.reduce(0) { $0 + ($1["tokens"]?.integer ?? 0) }
        #expect(made >= sum("num_tokens") && made <= 2 * sum("num_tokens"))
        #expect(try #require(summary["samples"]?.array).count > 0)

        let metrics = try text("m.prom")
        for expected in [
            "apus_run_tokens_total \(made)", "apus_run_prompt_errors_total 1",
            #"apus_run_ending{ending="finished"} 1"#, "apus_run_exit_code 1",
        ] {
            #expect(metrics.contains("\n\(expected)\n"), "\(expected)")
        }
        let page = try text("r.html")
        #expect(page.contains("<h1>12 of 12 prompts finished</h1>") && page.contains("1 prompt has an error"))
        #expect(try directory.names.filter { $0.hasPrefix(".") }.isEmpty)
    }

    @Test func areThereAfterARunThatFailed() async throws {
        let outcome = try await generate(["a dog", "--model", path("none"), "--output", path("o.jsonl")] + flags)
        #expect(outcome.code == 2)
        let summary = try summary()
        #expect(summary["ending"] == "failed" && summary["exit_code"] == 2 && summary["finished"] == 0)
        #expect(summary["failure"]?.string?.contains("none") == true)
        #expect(try text("r.html").contains("Failed"))
    }

    /// However it is stopped: by what would end any program, or by what ends a run that can go on.
    @Test(arguments: [true, false]) func areThereAfterASignal(toFile: Bool) async throws {
        let prompts = (0..<4000).map { "{\"prompt\": \"a dog \($0)\"}" }.joined(separator: "\n")
        try directory.write("p.jsonl", prompts)
        let run = try CommandRun(
            BuiltProgram.apus,
            ["generate", "-q", "--batch-size", "1", "--prompts", path("p.jsonl")] + flags
                + (toFile ? ["--output", path("o.jsonl")] : []),
            // It does not end by itself, however long it takes this test to come to its turn.
            environment: ["APUS_FAULTS": "hang@1010", "APUS_HANG_SECONDS": "600"])
        let begun = toFile ? "o.jsonl.journal" : "m.prom"
        while (try? readFile(path(begun)).count) ?? 0 < 100 { try await Task.sleep(for: .milliseconds(2)) }
        run.process.terminate()
        let outcome = try await run.finish(within: .seconds(600))
        #expect(outcome.code == (toFile ? 75 : 128 + SIGTERM), "\(outcome.error)")
        let summary = try summary()
        #expect(summary["ending"] == "stopped")
        #expect(summary["exit_code"]?.integer == Int(outcome.code))
        #expect(try text("m.prom").contains(#"apus_run_ending{ending="stopped"} 1"#))
        #expect(try text("r.html").contains("Stopped before the end"))
    }

    @Test func aPlaceThatIsNoneIsSaidBeforeTheRun() async throws {
        for flag in ["--summary", "--metrics", "--report"] {
            for (arguments, code) in [([], 1), (["--output", path("o.jsonl")], 2)] as [([String], Int32)] {
                let outcome = try await generate(["a dog", "-q", flag, path("none/file")] + arguments)
                #expect(outcome.code == code && outcome.output.isEmpty)
                #expect(outcome.errorLines.count == 1 && outcome.error.contains(path("none/file")), "\(outcome.error)")
            }
        }
        #expect(try directory.names.isEmpty)
    }

    /// The run is what was asked for, and it is done.
    @Test func aPlaceThatVanishesSpoilsNothing() async throws {
        try FileManager.default.createDirectory(atPath: path("folder"), withIntermediateDirectories: true)
        #expect(mkfifo(path("pipe.txt"), 0o600) == 0)
        let run = try CommandRun(
            BuiltProgram.apus,
            [
                "generate", "-q", "--max-new-tokens", "2", "--prompts", path("pipe.txt"), "--summary",
                path("folder/s.json"), "--metrics", path("m.prom"),
            ])
        // By then all places were tried.
        while try !directory.names.contains("m.prom") { try await Task.sleep(for: .milliseconds(2)) }
        try FileManager.default.removeItem(atPath: path("folder"))
        try "a dog\n".write(toFile: path("pipe.txt"), atomically: false, encoding: .utf8)
        let outcome = try await run.finish(within: .seconds(600))
        #expect(outcome.code == 0 && outcome.lines.count == 1)
        #expect(outcome.errorLines.count == 1 && outcome.error.contains("folder/s.json cannot be written"))
    }
}
