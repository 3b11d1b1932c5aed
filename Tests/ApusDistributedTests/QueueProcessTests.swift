import ApusDistributed
import ApusTestSupport
import Testing

@Suite("Queues between processes")
struct QueueProcessTests {
    private func launch(_ count: Int, _ arguments: [String]) async throws -> CommandRun.Outcome {
        try await CommandRun(
            BuiltProgram.apus, ["launch", "-n", String(count), BuiltProgram.rank, "queue"] + arguments
        ).finish()
    }

    @Test(arguments: [1, 2, 5])
    func eachItemGoesToOneRankAndASlowRankTakesFewer(ranks: Int) async throws {
        let outcome = try await launch(ranks, ["once", ranks == 1 ? "9" : "0"])
        #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
        let counts = outcome.lines.compactMap { Int($0) }
        #expect(counts.count == ranks && counts.reduce(0, +) == 40, "\(outcome.output)")
        #expect(ranks == 1 || counts[0] * ranks < 40, "\(outcome.output)")
    }

    @Test func aProgramAloneNeedsNoLauncher() async throws {
        let outcome = try await CommandRun(BuiltProgram.rank, ["queue", "once", "9"]).finish()
        #expect(outcome.code == 0 && outcome.output == "40\n", "\(outcome.error)")
    }

    @Test(arguments: [
        ("kill", "rank 2 was killed by SIGKILL"), ("exit0", "rank 2 exited with status 0 while rank"),
        ("throw", "rank 2 was killed by SIG"),
    ])
    func aRankThatEndsWithAnItemIsNamed(how: String, cause: String) async throws {
        let outcome = try await launch(4, [how, "2"])
        #expect(outcome.code != 0)
        #expect(outcome.errorLines.last?.hasPrefix("apus launch: \(cause)") == true, "\(outcome.error)")
    }

    @Test func anotherNumberOfItemsIsNamed() async throws {
        let outcome = try await launch(2, ["count", "1"])
        #expect(outcome.code != 0)
        let sides = ["40 items on rank 0, 41 on rank 1", "41 items on rank 1, 40 on rank 0"]
        #expect(
            sides.contains { outcome.error.contains("the ranks disagree: queue 1 has \($0)") }, "\(outcome.error)")
    }

    @Test(arguments: [1, 3])
    func aLoopThatIsLeftEarlyIsNamed(ranks: Int) async throws {
        let outcome = try await launch(ranks, ["break", "0"])
        #expect(outcome.code == 1)
        #expect(
            outcome.output.hasPrefix("gatherObject of a queue: nobody has taken items "), "\(outcome.output)")
        #expect(outcome.output.hasSuffix(" of the queue's 40: no process went on to its end\n"))
    }

    @Test func processesThatComeBackToAGroupHaveNewQueues() async throws {
        let outcome = try await launch(3, ["again", "9"])
        #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    }
}
