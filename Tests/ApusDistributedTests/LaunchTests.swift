import ApusDistributed
import ApusTestSupport
import Foundation
import Testing

@Suite("apus launch", .serialized)
struct LaunchTests {
    private func launch(
        _ count: Int, _ program: [String], environment: [String: String] = [:], input: String? = nil
    ) async throws -> CommandRun.Outcome {
        try await CommandRun(
            BuiltProgram.apus, ["launch", "-n", String(count)] + program, environment: environment, input: input
        ).finish()
    }

    @Test(arguments: [1, 2, 4])
    func collectivesBetweenProcesses(count: Int) async throws {
        let outcome = try await launch(count, [BuiltProgram.rank, "collectives"])
        #expect(outcome.output == "collectives agree on \(count) ranks\n")
        #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    }

    @Test func everyRankKnowsItsPlace() async throws {
        let outcome = try await launch(
            3,
            [
                "--", "bash", "-c", "echo $RANK $WORLD_SIZE $LOCAL_RANK $LOCAL_WORLD_SIZE \"$@\"", "-", "--a_b", "--",
                "-n",
            ])
        #expect(outcome.output.split(separator: "\n").sorted() == (0..<3).map { "\($0) 3 \($0) 3 --a_b -- -n" })
    }

    @Test func linesStayWhole() async throws {
        let outcome = try await launch(4, [BuiltProgram.rank, "lines"])
        let lines = outcome.output.split(separator: "\n")
        for rank in 0..<4 {
            let own = lines.filter { $0.hasPrefix("<rank \(rank) ") }
            #expect(own.dropLast() == (0..<200).map { "<rank \(rank) writes line \($0)>" })
            #expect(own.last == "<rank \(rank) has no end of line>")
        }
        #expect(lines.count == 4 * 201)
    }

    @Test func onlyRankZeroReads() async throws {
        let outcome = try await launch(2, ["bash", "-c", "echo \"$RANK: $(cat)\""], input: "the input")
        #expect(outcome.output.split(separator: "\n").sorted() == ["0: the input", "1: "])
    }

    @Test func standardErrorKeepsItsLinesAndTheLastIsQuoted() async throws {
        let outcome = try await launch(
            2, ["bash", "-c", "test $RANK = 0 && exit; echo first >&2; echo; echo ' last' >&2; echo >&2; exit 9"])
        #expect(outcome.error == "first\n last\n\napus launch: rank 1 exited with status 9; its last words:  last\n")
        #expect(outcome.code == 9)
    }

    @Test func lastWordsAreQuotedWhileADescendantHoldsThePipe() async throws {
        let outcome = try await launch(
            1, ["bash", "-c", "sleep 1000 & disown; seq 100000 >&2; printf 'last' >&2; exit 9"])
        #expect(
            outcome.error.hasSuffix("\n100000\nlast\napus launch: rank 0 exited with status 9; its last words: last\n"))
        #expect(outcome.code == 9)
    }

    @Test func aSwiftStackTraceIsLeftOutUnlessAskedFor() async throws {
        let outcome = try await launch(1, [BuiltProgram.rank, "fail", "throw", "0", "0"])
        #expect(outcome.errorLines.count == 2 && outcome.error.contains("the cat ran away"), "\(outcome.error)")
        #expect(outcome.code == 128 + SIGILL || outcome.code == 128 + SIGTRAP)
    }

    @Test(arguments: [
        (["apus-no-such-program"], "apus launch: apus-no-such-program: no such program in PATH"),
        (["/no/such"], "apus launch: /no/such: no such program"), (["/etc"], "apus launch: /etc is not a program"),
    ])
    func aMissingProgramIsOneLine(command: [String], line: String) async throws {
        let outcome = try await launch(3, command)
        #expect(outcome.errorLines.count == 1 && outcome.error.hasPrefix(line), "\(outcome.error)")
        #expect(outcome.code == 127)
    }

    @Test(arguments: [
        ["-n", "0", "true"], ["-n", "2"], ["-n", "2", "--"], ["true"], ["-n", "2", "--grace-period", "x", "true"],
    ])
    func badUsage(arguments: [String]) async throws {
        let outcome = try await CommandRun(BuiltProgram.apus, ["launch"] + arguments).finish()
        #expect(outcome.code == 64 && outcome.error.hasPrefix("Error:"), "\(outcome.error)")
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT])
    func signalsReachEveryProcessOfEveryRank(signal: Int32) async throws {
        let script =
            "trap 'echo caught; exit 0' \(signal); bash -c 'echo up; trap \"echo caught; exit\" \(signal); while :; do sleep 0.01; done' & while :; do sleep 0.01; done"
        let run = try CommandRun(BuiltProgram.apus, ["launch", "-n", "2", "--", "bash", "-c", script])
        _ = try await run.awaitLines(2)
        try await Task.sleep(for: .milliseconds(50))
        kill(run.process.processIdentifier, signal)
        let outcome = try await run.finish()
        #expect(outcome.output.split(separator: "\n").filter { $0 == "caught" }.count >= 2)
        #expect(outcome.code == 128 + signal)
        #expect(outcome.errorLines.last?.hasPrefix("apus launch: ended by SIG") == true, "\(outcome.error)")
    }

    @Test func aRankThatIgnoresTheEndIsKilled() async throws {
        let run = try CommandRun(
            BuiltProgram.apus,
            [
                "launch", "-n", "2", "--grace_period=0.3", "bash", "-c",
                "trap '' TERM; echo up; while :; do sleep 0.01; done",
            ])
        _ = try await run.awaitLines(2)
        let start = ContinuousClock.now
        kill(run.process.processIdentifier, SIGTERM)
        let outcome = try await run.finish()
        #expect(outcome.code == 128 + SIGTERM)
        #expect(ContinuousClock.now - start < .seconds(2))
    }

    @Test func grandchildrenDoNotOutliveTheJob() async throws {
        let mark = "APUS_TEST_MARK=\(UUID().uuidString)"
        let parts = mark.split(separator: "=").map(String.init)
        let outcome = try await launch(
            2, ["bash", "-c", "sleep 1000 & disown; exit 0"], environment: [parts[0]: parts[1]])
        #expect(outcome.code == 0)
        #expect(try await ProcessTable.awaitNone(withEnvironment: mark, within: .milliseconds(500)) == [])
    }

    @Test func twoJobsAtOnceDoNotMeet() async throws {
        let runs = try (0..<3).map { _ in
            try CommandRun(BuiltProgram.apus, ["launch", "-n", "2", BuiltProgram.rank, "fail", "hang", "9", "0"])
        }
        for run in runs {
            let outcome = try await run.finish()
            #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
        }
    }

    @Test func aJobInsideAJobHasItsOwnRanks() async throws {
        let outcome = try await launch(
            2, [BuiltProgram.apus, "launch", "-n", "3", BuiltProgram.rank, "fail", "exit0", "9", "0"])
        #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    }

    @Test func aReaderWhoGoesAwayEndsTheRanks() async throws {
        let run = try CommandRun("/bin/bash", ["-c", "'\(BuiltProgram.apus)' launch -n 2 yes | head -1"])
        let outcome = try await run.finish(within: .seconds(10))
        #expect(outcome.output == "y\n" && outcome.duration < .seconds(5))
    }
}
