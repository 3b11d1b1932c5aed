import ApusDistributed
import ApusTestSupport
import Testing

/// The queue is a value: thousands of histories are tried without one process.
@Suite struct WorkQueueTests {
    private func queue(_ count: Int, ranks: Int, _ policy: WorkQueue.Policy = WorkQueue.Policy()) -> WorkQueue {
        var queue = WorkQueue(ranks: ranks, policy: policy)
        for index in 0..<count { queue.add(WorkItem(index: index, payload: [], weight: (index * 7) % 5)) }
        queue.closeInput()
        return queue
    }

    /// Calls that change a value cannot stand in an expectation.
    private func finish(_ queue: inout WorkQueue, _ index: Int, _ attempt: Int, rank: Int, at now: Double = 1) -> Bool {
        queue.finish(index, attempt: attempt, rank: rank, at: now)
    }

    private func jobs(_ answer: WorkQueue.Answer) -> [WorkLease] {
        if case .jobs(let leases) = answer { leases } else { [] }
    }

    @Test func theHeaviestGoFirstAndEqualOnesInOrder() {
        var queue = queue(6, ranks: 1)
        let leases = jobs(queue.take(rank: 0, capacity: 10, at: 0))
        #expect(leases.map(\.item.index) == [2, 4, 1, 3, 0, 5])
    }

    @Test func aWindowIsNeverPassed() {
        var queue = WorkQueue(ranks: 1, policy: WorkQueue.Policy(window: 4))
        for index in 0..<4 { queue.add(WorkItem(index: index, payload: [], weight: index)) }
        #expect(queue.room == 0)
        let leases = jobs(queue.take(rank: 0, capacity: 2, at: 0))
        // More than half a window has passed, so age counts.
        #expect(leases.map(\.item.index) == [0, 1])
        let second = finish(&queue, 1, leases[1].attempt, rank: 0)
        #expect(second && queue.room == 0)
        let first = finish(&queue, 0, leases[0].attempt, rank: 0)
        #expect(first && queue.room == 2)
    }

    @Test func aResultCountsOnce() {
        var queue = queue(1, ranks: 2)
        // It is kept back for the one that has not asked yet.
        let early = jobs(queue.take(rank: 0, capacity: 1, at: 0))
        let lease = jobs(queue.take(rank: 1, capacity: 1, at: 0))
        #expect(early.isEmpty && lease.count == 1)
        let counts = [(99, 1), (1, 0), (1, 1), (1, 1)].map { finish(&queue, 0, $0, rank: $1) }
        #expect(counts == [false, false, true, false] && queue.isOver)
    }

    @Test func aWorkersShareIsByItsPace() {
        var queue = queue(100, ranks: 2)
        _ = jobs(queue.take(rank: 0, capacity: 1, at: 0))
        _ = jobs(queue.take(rank: 1, capacity: 1, at: 0))
        queue.note(tokens: 400, rank: 0, at: 1)
        queue.note(tokens: 100, rank: 1, at: 1)
        let (fast, slow) = (
            jobs(queue.take(rank: 0, capacity: 1000, at: 1)), jobs(queue.take(rank: 1, capacity: 1000, at: 1))
        )
        #expect(fast.count == 79 && slow.count == 19)
    }

    /// The last job of a slow worker is given to an idle one as well; whoever is first counts.
    @Test func idleWorkersTakeWhatSlowOnesWouldFinishLate() {
        var queue = queue(3, ranks: 2)
        let slow = jobs(queue.take(rank: 1, capacity: 1, at: 0))
        let fast = jobs(queue.take(rank: 0, capacity: 2, at: 0))
        for lease in fast { _ = finish(&queue, lease.item.index, lease.attempt, rank: 0, at: 0.1) }
        let early = jobs(queue.take(rank: 0, capacity: 2, at: 0.1))
        #expect(early.isEmpty)
        let copies = jobs(queue.take(rank: 0, capacity: 2, at: 2))
        #expect(copies.map(\.item.index) == slow.map(\.item.index) && copies[0].tries == 1)
        let counts = [
            finish(&queue, copies[0].item.index, copies[0].attempt, rank: 0, at: 2.1),
            finish(&queue, slow[0].item.index, slow[0].attempt, rank: 1, at: 2.2),
        ]
        #expect(counts == [true, false] && queue.isOver)
    }

    /// Random workers take, finish and die at random; every job is done once, or given up, and then only one that kills.
    @Test(arguments: 0..<300) func everyHistoryEndsWithEachJobOnce(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
        let (count, ranks) = (1 + below(60), 1 + below(5))
        let killers = Set((0..<below(3)).map { _ in below(count) })
        var queue = WorkQueue(ranks: ranks, policy: WorkQueue.Policy(window: 1 + below(30)))
        var held: [Int: [WorkLease]] = [:]
        var done: [Int: Int] = [:]
        var givenUp: Set<Int> = []
        var (added, now, steps) = (0, 0.0, 0)
        while !queue.isOver, steps < 100_000 {
            steps += 1
            now += Double(below(100)) / 50
            while added < count, queue.room > 0 {
                queue.add(WorkItem(index: added, payload: [], weight: below(9)))
                added += 1
            }
            if added == count { queue.closeInput() }
            let rank = below(ranks)
            switch below(3) {
            case 0:
                let leases = jobs(queue.take(rank: rank, capacity: 1 + below(8), at: now))
                #expect(Set(leases.map(\.item.index)).isDisjoint(with: (held[rank] ?? []).map(\.item.index)))
                held[rank, default: []] += leases
            case 1:
                guard let lease = held[rank]?.first(where: { !killers.contains($0.item.index) }) else { continue }
                held[rank]?.removeAll { $0 == lease }
                if queue.finish(lease.item.index, attempt: lease.attempt, rank: rank, at: now) {
                    done[lease.item.index, default: 0] += 1
                }
            default:
                // What kills, kills; others die at times.
                let kills =
                    held[rank]?.contains { killers.contains($0.item.index) && !queue.isDone($0.item.index) } ?? false
                guard kills || below(60) == 0, (held[rank]?.count ?? 0) != 1 || kills else { continue }
                givenUp.formUnion(queue.lose(rank).condemned.map(\.index))
                held[rank] = []
            }
        }
        #expect(queue.isOver, "after \(steps) steps")
        #expect(givenUp.isSubset(of: killers))
        #expect(Set(done.keys).union(givenUp) == Set(0..<count) && done.values.allSatisfy { $0 == 1 })
    }
}
