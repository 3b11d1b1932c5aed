import ApusCPU
import Synchronization
import Testing

/// Jobs are done by whatever threads there are.
@Suite struct ThreadTeamTests {
    private func runs(_ team: ThreadTeam) -> Bool {
        defer { team.stop() }
        for chunks in [0, 1, 2, 7, 100, 1000] {
            let calls = Mutex([Int](repeating: 0, count: chunks))
            let threads = Mutex(Set<Int>())
            team.run(chunks: chunks) { chunk, thread in
                calls.withLock { $0[chunk] += 1 }
                threads.withLock { _ = $0.insert(thread) }
            }
            guard calls.withLock({ $0.allSatisfy { $0 == 1 } }),
                threads.withLock({ $0.allSatisfy { (0..<team.count).contains($0) } })
            else { return false }
        }
        return true
    }

    @Test(arguments: [-1, 0, 1, 2, 5, 40])
    func everyChunkOnce(_ count: Int) {
        let team = ThreadTeam(count: count)
        #expect(team.count == max(count, 1))
        #expect(runs(team))
    }

    /// Stacks of which the address space has room for one, or for none.
    @Test(arguments: [1 << 45, 1 << 46, 1 << 50])
    func thoseThatTheSystemRefusesAreNotMissed(_ stackByteCount: Int) {
        let team = ThreadTeam(count: 6, stackByteCount: stackByteCount)
        #expect(team.count >= 1 && team.count < 6)
        #expect(runs(team))
    }

    @Test func aDeviceKnowsItsThreads() throws {
        #expect(try CPUDevice(threads: 3).threads == 3)
    }
}
