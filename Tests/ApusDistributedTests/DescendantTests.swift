import ApusDistributed
import ApusTestSupport
import Foundation
import Testing

@Suite("Descendants of ranks", .serialized)
struct DescendantTests {
    /// What to look for in the environment or, as that can be cleared, among the arguments of what is left.
    private struct Mark {
        let name = "APUS_TEST_MARK"
        let value = UUID().uuidString
        var environment: [String: String] { [name: value] }
        /// A number of seconds that nothing else sleeps.
        let sleep = "1000.\(UInt32.random(in: 0 ... .max))"

        func awaitNone() async throws -> [String] {
            try await ProcessTable.awaitNone(withEnvironment: name + "=" + value, orArgument: "sleep\0" + sleep)
        }

        func awaitSleepers(_ count: Int) async throws {
            let start = ContinuousClock.now
            while try ProcessTable.processes(with: "sleep\0" + sleep, in: "cmdline").count < count {
                try #require(ContinuousClock.now - start < .seconds(20), "\(count) processes do not sleep")
                try await Task.sleep(for: .milliseconds(5))
            }
        }

        /// Leaves session and group, forgets its environment, and loses its parent.
        var daemon: String { "env -i setsid bash -c 'setsid sleep \(sleep) & exit' & " }
    }

    @Test(arguments: ["exit 0", "kill -9 $$", "exit 3"])
    func noneOutlivesTheJob(end: String) async throws {
        let (mark, scratch) = (Mark(), try TemporaryDirectory())
        let wait = "while [ ! -e '\(scratch.path)/go' ]; do sleep .02; done; "
        let run = try CommandRun(
            BuiltProgram.apus, ["launch", "-n", "2", "bash", "-c", mark.daemon + wait + end],
            environment: mark.environment)
        try await mark.awaitSleepers(2)
        try scratch.write("go", "")
        let outcome = try await run.finish()
        #expect(outcome.code == (end == "exit 0" ? 0 : end == "exit 3" ? 3 : 137))
        #expect(try await mark.awaitNone() == [])
    }

    @Test func noneOutlivesALauncherThatIsKilled() async throws {
        let mark = Mark()
        let run = try CommandRun(
            BuiltProgram.apus, ["launch", "-n", "2", "bash", "-c", mark.daemon + "wait; sleep 1000"],
            environment: mark.environment)
        try await mark.awaitSleepers(2)
        kill(run.process.processIdentifier, SIGKILL)
        _ = try await run.finish()
        #expect(try await mark.awaitNone() == [])
    }

    @Test func aJobInsideAJobLeavesNothing() async throws {
        let (mark, scratch) = (Mark(), try TemporaryDirectory())
        let run = try CommandRun(
            BuiltProgram.apus,
            ["launch", "-n", "2", BuiltProgram.apus, "launch", "-n", "2", "bash", "-c", mark.daemon + "sleep 1000"],
            environment: mark.environment.merging(["TMPDIR": scratch.path]) { $1 })
        try await mark.awaitSleepers(4)
        kill(run.process.processIdentifier, SIGKILL)
        _ = try await run.finish()
        #expect(try await mark.awaitNone() == [])
        #expect(try scratch.names == [])
    }

    @Test func whoeverKillsTheGuardianEndsTheJob() async throws {
        var outcome = try await outcomeOfAKilledGuardian()
        // A launcher that has had no turn yet does not know that the ranks run.
        for _ in 0..<4 where outcome.error.contains("the guardian process ended before the ranks had started") {
            outcome = try await outcomeOfAKilledGuardian()
        }
        #expect(outcome.code == 137 && outcome.error.contains("was killed by SIGKILL"), "\(outcome.error)")
    }

    private func outcomeOfAKilledGuardian() async throws -> CommandRun.Outcome {
        let (mark, scratch) = (Mark(), try TemporaryDirectory())
        let run = try CommandRun(
            BuiltProgram.apus, ["launch", "-n", "2", "bash", "-c", "sleep \(mark.sleep); true"],
            environment: mark.environment.merging(["TMPDIR": scratch.path]) { $1 })
        try await mark.awaitSleepers(2)
        for process in try ProcessTable.processes(withEnvironment: mark.name + "=" + mark.value) {
            // Some are gone with the first guardian.
            let name = try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)
            if name == "apus-guardian\n", let number = Int32(process) { kill(number, SIGKILL) }
        }
        let outcome = try await run.finish(within: .seconds(20))
        #expect(outcome.code != 0)
        #expect(try await mark.awaitNone() == [])
        #expect(try scratch.names == [])
        return outcome
    }

    @Test func aPoolLeavesOtherChildrenOfItsProgramAlone() async throws {
        let other = Process()
        other.executableURL = URL(filePath: "/bin/sleep")
        other.arguments = ["1000"]
        other.standardOutput = FileHandle.nullDevice
        other.standardError = FileHandle.nullDevice
        try other.run()
        // Threads that block other signals hand that on to what they start.
        defer { kill(other.processIdentifier, SIGKILL) }
        let pool = WorkerPool(workers: 2, command: [try BuiltProgram.rank, "pool"])
        _ = try await pool.run(JobList((0..<4).map { WorkItem(index: $0, payload: []) }), observer: KeptResults())
        #expect(other.isRunning)
    }
}
