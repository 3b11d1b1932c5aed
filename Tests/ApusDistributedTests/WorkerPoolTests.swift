import ApusDistributed
import ApusTestSupport
import Testing

@Suite("Pool of workers")
struct WorkerPoolTests {
    private func jobs(_ count: Int) -> [WorkItem] {
        (0..<count).map { WorkItem(index: $0, payload: Array("job \($0)".utf8)) }
    }

    /// On a busy machine a worker may not have its turn for as long as would count as hanging.
    private static let patient = WorkerPool.Policy(hangSeconds: 600)

    private func run(
        _ jobs: [WorkItem], workers: Int, _ arguments: [String] = [], policy: WorkerPool.Policy = patient,
        kept: KeptResults = KeptResults()
    ) async throws -> KeptResults {
        let pool = WorkerPool(
            workers: workers, command: [try BuiltProgram.rank, "pool"] + arguments, policy: policy)
        _ = try await pool.run(JobList(jobs), observer: kept)
        return kept
    }

    @Test(arguments: [1, 2, 5])
    func everyJobComesBackOnce(workers: Int) async throws {
        let sent = jobs(200)
        // What two workers do counts twice among tokens.
        var policy = Self.patient
        policy.queue.speculates = false
        let kept = try await run(sent, workers: workers, policy: policy)
        let results = try #require(kept.byIndex)
        #expect(results.count == 200)
        for job in sent { #expect(results[job.index] == job.payload.reversed()) }
        #expect(kept.tokens == sent.map(\.payload.count).reduce(0, +))
    }

    @Test func largePayloads() async throws {
        let payload = (0..<20_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let kept = try await run((0..<4).map { WorkItem(index: $0, payload: payload) }, workers: 2)
        #expect(kept.results.count == 4 && kept.results.allSatisfy { $0.payload == payload.reversed() })
    }

    @Test func aWorkerThatDiesIsNamedAndItsJobsAreDone() async throws {
        // Otherwise another might have done its job before anybody knew.
        var policy = Self.patient
        policy.queue.speculates = false
        let kept = try await run(jobs(10), workers: 2, ["die-once", "8"], policy: policy)
        #expect(kept.byIndex?.count == 10)
        #expect(kept.byIndex?[8] == Array("8 boj".utf8))
        let message = try #require(kept.messages.first)
        #expect(kept.messages.count == 1)
        #expect(message.contains(/rank [01] was killed by SIGKILL while it held jobs? .*8/), "\(message)")
        #expect(message.hasSuffix("its last words: about to die; it is started again"))
    }

    /// Of eight that were in flight, the one that kills is found and given up; a line a death.
    @Test func aJobThatKillsIsFoundAmongOthers() async throws {
        let kept = try await run(jobs(40), workers: 1, ["wide", "3"])
        let results = try #require(kept.byIndex)
        #expect(results.count == 40)
        for index in 0..<40 where index != 3 { #expect(results[index] == Array("job \(index)".utf8).reversed()) }
        let reason = String(decoding: results[3] ?? [], as: UTF8.self)
        #expect(reason == "given up: its worker was killed by SIGKILL twice while it ran alone")
        // 8, 4, 2, and twice alone.
        #expect(kept.messages.count == 5, "\(kept.messages)")
    }

    @Test func aWorkerThatHangsIsKilled() async throws {
        var policy = Self.patient
        policy.hangSeconds = 3
        policy.queue.speculates = false
        let kept = try await run(jobs(20), workers: 2, ["stuck", "5"], policy: policy)
        #expect(kept.byIndex?.count == 20)
        #expect(kept.messages.count == 1)
        #expect(
            kept.messages.first?.contains(
                /rank [01] has finished no step for \d+ s, and jobs? .*5.* waits? for it: it is killed and started again/
            )
                == true, "\(kept.messages)")
    }

    /// A job of a slow worker is given to an idle one, and the run does not wait for the first.
    @Test func aStuckJobIsDoneByAnother() async throws {
        let kept = try await run(jobs(20), workers: 2, ["stuck", "5"])
        #expect(kept.byIndex?.count == 20)
        #expect(kept.messages.isEmpty, "\(kept.messages)")
    }

    @Test func aSlowWorkerGetsFewerJobs() async throws {
        let kept = try await run(jobs(60), workers: 2, ["slow", "1"])
        let bySlow = kept.results.count { $0.rank == 1 }
        #expect(kept.byIndex?.count == 60 && bySlow < 20, "\(bySlow)")
    }

    @Test func fewerWorkersThanAskedFinish() async throws {
        let kept = try await run(jobs(20), workers: 3, ["idle", "1"])
        #expect(kept.byIndex?.count == 20)
        #expect(
            kept.messages.last?.hasSuffix("it died 3 times in a row and stays away") == true || kept.messages.count < 3)
    }

    @Test func whatNoWorkerCanDoEndsTheRunWithItsReason() async throws {
        let error = await #expect(throws: DistributedError.self) { try await run(jobs(3), workers: 2, ["refuse"]) }
        #expect(error?.message == "there is no such model" && error?.code == .threw)
    }

    @Test func whenNoWorkerIsLeftTheRunEnds() async throws {
        let error = await #expect(throws: DistributedError.self) { try await run(jobs(3), workers: 1, ["idle", "0"]) }
        #expect(error?.message.hasPrefix("no worker is left") == true)
    }

    @Test func aJobThatIsTooLongIsRefused() async throws {
        let job = WorkItem(index: 0, payload: [UInt8](repeating: 0, count: (1 << 30) + 1))
        let error = await #expect(throws: DistributedError.self) { try await run([job], workers: 1) }
        #expect(error?.code == .tooLarge)
    }

    @Test func anErrorOfTheKeeperEndsTheWorkers() async throws {
        await #expect(throws: KeptResults.Refused.self) {
            try await run(jobs(100), workers: 2, kept: KeptResults(refuses: true))
        }
    }

    @Test func aMissingProgramIsAnError() async {
        let pool = WorkerPool(workers: 2, command: ["apus-no-such-program"])
        let error = await #expect(throws: DistributedError.self) {
            try await pool.run(JobList(jobs(1)), observer: KeptResults())
        }
        #expect(error?.message == "apus-no-such-program: no such program in PATH")
    }

    @Test func drainingFinishesWhatIsInFlight() async throws {
        let control = PoolControl()
        control.drain()
        let pool = WorkerPool(workers: 1, command: [try BuiltProgram.rank, "pool"])
        let kept = KeptResults()
        let ending = try await pool.run(JobList(jobs(10)), observer: kept, control: control)
        #expect(ending == .stopped && kept.results.isEmpty)
    }

    // MARK: Where every worker must do its part

    @Test func withoutRestartsADeathEndsTheRun() async throws {
        let error = await #expect(throws: DistributedError.self) {
            try await run(jobs(10), workers: 2, ["die", "8"], policy: .measuring)
        }
        let message = try #require(error?.message)
        #expect(message.contains("was killed by SIGKILL while it held job") && message.contains("8"))
        #expect(message.hasSuffix("; its last words: about to die"))
    }

    @Test func withoutRestartsAWorkerThatLeavesIsNamed() async throws {
        let error = await #expect(throws: DistributedError.self) {
            try await run(jobs(10), workers: 3, ["leave", "0"], policy: .measuring)
        }
        #expect(error?.message.contains("exited with status 0 while it held job") == true, "\(error?.message ?? "")")
    }
}
