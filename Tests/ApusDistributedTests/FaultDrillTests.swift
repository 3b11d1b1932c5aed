import ApusDistributed
import ApusTestSupport
import Foundation
import Testing

/// The short form of Scripts/faults.py.
@Suite("Ranks and launchers that die", .serialized)
struct FaultDrillTests {
    @Test(arguments: ["throw", "throw-inside", "exit3", "exit0", "return", "kill", "abort"], [0, 3])
    func theRankAndTheCauseAreNamed(how: String, rank: Int) async throws {
        let delay = Int.random(in: 0...60)
        let outcome = try await CommandRun(
            BuiltProgram.apus, ["launch", "-n", "4", BuiltProgram.rank, "fail", how, String(rank), String(delay)]
        ).finish()
        let (codes, cause): ([Int32], String) =
            switch how {
            case "throw": ([132, 133], "rank \(rank) was killed by SIG")
            case "throw-inside": ([132, 133], "rank \(rank) failed in splitBetweenProcesses")
            case "exit3": ([3], "rank \(rank) exited with status 3")
            case "kill": ([137], "rank \(rank) was killed by SIGKILL")
            case "abort": ([134], "rank \(rank) was killed by SIGABRT")
            default: ([1], "rank \(rank) exited with status 0 while rank")
            }
        #expect(codes.contains(outcome.code), "\(outcome.code): \(outcome.error)")
        #expect(
            outcome.errorLines.count <= 3 && outcome.errorLines.last?.hasPrefix("apus launch: \(cause)") == true,
            "\(outcome.error)")
        if how.hasPrefix("throw") { #expect(outcome.error.contains("the cat ran away")) }
        // From its start, on a machine that runs other tests at once; the drill holds it to 2 s.
        #expect(outcome.duration < .seconds(10))
    }

    @Test(arguments: 0..<5)
    func nothingOutlivesALauncherThatIsKilled(round: Int) async throws {
        let mark = "APUS_TEST_MARK=\(UUID().uuidString)"
        let parts = mark.split(separator: "=").map(String.init)
        let scratch = "/tmp/apus-test-\(parts[1].prefix(8))"
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let program =
            round % 2 == 0
            ? ["--", "bash", "-c", "sleep 1000; true"] : [try BuiltProgram.rank, "fail", "hang", "1", "0"]
        let run = try CommandRun(
            BuiltProgram.apus, ["launch", "-n", "2"] + program, environment: [parts[0]: parts[1], "TMPDIR": scratch])
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...120)))
        kill(run.process.processIdentifier, SIGKILL)
        _ = try await run.finish()
        #expect(try await ProcessTable.awaitNone(withEnvironment: mark) == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch) == [])
    }

    @Test func noRankOutlivesAPoolThatIsKilled() async throws {
        let mark = "APUS_TEST_MARK=\(UUID().uuidString)"
        let parts = mark.split(separator: "=").map(String.init)
        let run = try CommandRun(
            BuiltProgram.rank, ["coordinate", BuiltProgram.rank], environment: [parts[0]: parts[1]])
        while try ProcessTable.processes(withEnvironment: mark).count < 3, run.process.isRunning {
            try await Task.sleep(for: .milliseconds(5))
        }
        kill(run.process.processIdentifier, SIGKILL)
        _ = try await run.finish()
        #expect(try await ProcessTable.awaitNone(withEnvironment: mark) == [])
    }
}
