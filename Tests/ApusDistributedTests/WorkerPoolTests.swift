import ApusDistributed
import ApusTestSupport
import Testing

@Suite("Pool of workers")
struct WorkerPoolTests {
    private func jobs(_ count: Int) -> [WorkItem] {
        (0..<count).map { WorkItem(index: $0, payload: Array("job \($0)".utf8)) }
    }

    @Test(arguments: [1, 2, 5])
    func everyJobComesBackOnce(workers: Int) async throws {
        let pool = WorkerPool(workers: workers, command: [try BuiltProgram.rank, "pool"])
        var results: [Int: WorkResult] = [:]
        var tokens: [Int: Int] = [:]
        let sent = jobs(200)
        try await pool.run(jobs: sent) {
            tokens[$0] = $1
        } onResult: { result in
            #expect(results.updateValue(result, forKey: result.index) == nil)
        }
        #expect(results.count == 200)
        for job in sent { #expect(results[job.index]?.payload == job.payload.reversed()) }
        #expect(tokens.values.reduce(0, +) == sent.map(\.payload.count).reduce(0, +))
    }

    @Test func largePayloads() async throws {
        let pool = WorkerPool(workers: 2, command: [try BuiltProgram.rank, "pool"])
        let payload = (0..<20_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var count = 0
        try await pool.run(jobs: (0..<4).map { WorkItem(index: $0, payload: payload) }) { result in
            #expect(result.payload == payload.reversed())
            count += 1
        }
        #expect(count == 4)
    }

    @Test func aWorkerThatDiesIsNamedWithItsJobs() async throws {
        let pool = WorkerPool(workers: 2, command: [try BuiltProgram.rank, "pool", "die", "8"])
        var delivered: Set<Int> = []
        let error = await #expect(throws: DistributedError.self) {
            try await pool.run(jobs: jobs(10)) { delivered.insert($0.index) }
        }
        let message = try #require(error?.message)
        #expect(error?.rank == 0 || error?.rank == 1)
        #expect(message.contains("was killed by SIGKILL while it held job"))
        #expect(message.contains("8"))
        #expect(message.hasSuffix("; its last words: about to die"))
        #expect(!delivered.contains(8))
    }

    /// The other worker goes on while nobody listens: what it handed in by the time somebody does is not lost.
    @Test func resultsThatCameBesideAFailureAreDeliveredFirst() async throws {
        let pool = WorkerPool(workers: 2, command: [try BuiltProgram.rank, "pool", "slow", "1"])
        var delivered: Set<Int> = []
        let error = await #expect(throws: DistributedError.self) {
            try await pool.run(jobs: jobs(12)) { result in
                if delivered.isEmpty { try await Task.sleep(for: .seconds(3)) }
                delivered.insert(result.index)
            }
        }
        let message = try #require(error?.message)
        #expect(message.contains("exited with status 5 while it held job"))
        let held = message.split { !$0.isNumber }.compactMap { Int($0) }.dropFirst(2)
        #expect(delivered.union(held) == Set(0..<12), "\(delivered.sorted()) and \(message)")
    }

    @Test func aJobThatIsTooLongIsRefused() async throws {
        let pool = WorkerPool(workers: 1, command: [try BuiltProgram.rank, "pool"])
        let job = WorkItem(index: 0, payload: [UInt8](repeating: 0, count: (1 << 30) + 1))
        let error = await #expect(throws: DistributedError.self) { try await pool.run(jobs: [job]) { _ in } }
        #expect(error?.code == .tooLarge)
    }

    @Test func aWorkerThatLeavesWithAJobIsNamed() async throws {
        let pool = WorkerPool(workers: 3, command: [try BuiltProgram.rank, "pool", "leave", "0"])
        let error = await #expect(throws: DistributedError.self) { try await pool.run(jobs: jobs(10)) { _ in } }
        #expect(error?.message.contains("exited with status 0 while it held jobs 0, 1") == true)
    }

    @Test func aWorkerThatFailsBeforeItsFirstJobIsNamed() async throws {
        let pool = WorkerPool(workers: 1, command: [try BuiltProgram.rank, "pool", "idle", "0"])
        let error = await #expect(throws: DistributedError.self) { try await pool.run(jobs: jobs(10)) { _ in } }
        #expect(error?.message == "rank 0 exited with status 7 while it held no job")
    }

    @Test func anErrorOfTheReceiverEndsTheWorkers() async throws {
        struct Refused: Error {}
        let pool = WorkerPool(workers: 2, command: [try BuiltProgram.rank, "pool"])
        await #expect(throws: Refused.self) { try await pool.run(jobs: jobs(100)) { _ in throw Refused() } }
    }

    @Test func aMissingProgramIsAnError() async {
        let pool = WorkerPool(workers: 2, command: ["apus-no-such-program"])
        let error = await #expect(throws: DistributedError.self) { try await pool.run(jobs: jobs(1)) { _ in } }
        #expect(error?.message == "apus-no-such-program: no such program in PATH")
    }
}
