import ApusJSON
import ApusTestSupport
import Testing

@Suite struct SimulateCommandTests {
    private static let load = [
        "--prompts", "1000", "--new-tokens", "40", "--step-time", "10:0.5", "--batch-size", "16",
    ]

    private func simulate(_ arguments: [String]) async throws -> JSONValue {
        let outcome = try await CommandRun(BuiltProgram.apus, ["simulate"] + Self.load + arguments + ["--json"])
            .finish()
        #expect(outcome.code == 0, "\(outcome.error)")
        return try JSONValue(parsing: outcome.output)
    }

    /// Processes that sleep through their steps, with a coordinator and sockets, one of them slow and one that dies.
    @Test func aRealRunIsAsPredicted() async throws {
        let arguments = ["--workers", "4", "--stragglers", "0.25:2", "--failures", "0.25", "--restart-seconds", "0.5"]
        let predicted = try #require(try await simulate(arguments)["seconds"]?.double)
        let report = try await simulate(arguments + ["--run"])
        let seconds = try #require(report["seconds"]?.double)
        // Nothing is early; other tests run beside this one, so it may be late.
        #expect(seconds > 0.93 * predicted && seconds < 1.5 * predicted, "\(seconds) s, \(predicted) s were predicted")
        #expect(
            report.object?.map(\.key).prefix(5) == [
                "seconds", "ideal_seconds", "efficiency", "tail_seconds", "coordinator_share",
            ])
    }

    @Test(arguments: [
        (["--workers", "0", "--step-time", "1:1"], "--workers"), (["--workers", "2"], "--step-time"),
        (["--workers", "2", "--step-time", "1:x"], "--step-time"),
        (["--workers", "2", "--step-time", "0:0"], "no time"),
        (["--workers", "2", "--step-time", "1:1", "--failures", "2"], "--failures"),
        (["--workers", "2", "--step-time", "1:1", "--stragglers", "0.5:0.5"], "--stragglers"),
        (["--workers", "2", "--steps", "none.json"], "none.json"),
    ])
    func whatIsNoPlanIsRefused(_ arguments: [String], _ word: String) async throws {
        let outcome = try await CommandRun(BuiltProgram.apus, ["simulate", "--prompts", "10"] + arguments).finish()
        #expect(outcome.code != 0 && outcome.error.contains(word), "\(outcome.error)")
    }
}
