import ApusDistributed
import Synchronization
import Testing

/// Queues of ranks that are tasks of one process.
@Suite("Queues")
struct QueueTests {
    struct Mishap: Error, CustomStringConvertible {
        var description: String { "the cat ran away" }
    }

    @Test(arguments: [1, 2, 5])
    func eachItemGoesToOneRankAndResultsComeInTheItemsOrder(ranks: Int) async throws {
        for count in [0, 1, 3, 40] {
            let items = (0..<count).map { "item \($0)" }
            let results = await withRanks(ranks) { accelerator in
                let queue = accelerator.queue(items)
                var results: [String] = []
                for try await item in queue { results.append(item + "!") }
                return (try await accelerator.gatherObject(results, of: queue), queue.taken)
            }
            for result in results { #expect(try result.get().0 == items.map { $0 + "!" }) }
            #expect(try results.flatMap { try $0.get().1 }.sorted() == Array(0..<count))
        }
    }

    @Test func theHeaviestComeFirst() async throws {
        let alone = Accelerator(communicator: InProcessCommunicator.group(of: 1)[0])
        func indices<Element>(_ queue: SharedQueue<Element>) async throws -> [Int] {
            var indices: [Int] = []
            for try await (index, _) in queue.indexed { indices.append(index) }
            #expect(queue.taken == indices && queue.itemCount == indices.count)
            return indices
        }
        #expect(try await indices(alone.queue(["a", "ccc", "bb", "\u{e9}", "dd"])) == [1, 2, 3, 4, 0])
        #expect(try await indices(alone.queue("a ccc bb".split(separator: " "))) == [1, 2, 0])
        #expect(try await indices(alone.queue([[1], [1, 2], [3]], by: \.count)) == [1, 0, 2])
        #expect(try await indices(alone.queue(["a", "ccc", "bb"]) { -$0.count }) == [0, 2, 1])
        #expect(try await indices(alone.queue([5, 7, 6])) == [0, 1, 2])
        #expect(try await indices(alone.queue(3..<6, by: \.self)) == [2, 1, 0])
        #expect(throws: Mishap.self) { try alone.queue([1]) { _ in throw Mishap() } }
    }

    @Test func anItemComesWithItsIndex() async throws {
        let items = ["a", "ccc", "bb"]
        let results = await withRanks(2) { accelerator in
            let queue = accelerator.queue(items)
            var results: [String] = []
            for try await (index, item) in queue.indexed { results.append("\(index)\(item)") }
            return try await accelerator.gatherObject(results, of: queue)
        }
        for result in results { #expect(try result.get() == ["0a", "1ccc", "2bb"]) }
    }

    @Test func aSlowRankTakesFewer() async throws {
        let over = Latch()
        let results = await withRanks(3) { accelerator in
            let queue = accelerator.queue(0..<30)
            for try await _ in queue {
                // Until the others are done with all the rest.
                if accelerator.processIndex == 1 { await over.wait() }
                try await Task.sleep(for: .milliseconds(1))
            }
            over.open()
            return try await accelerator.gatherObject(queue.taken, of: queue).count - queue.taken.count
        }
        #expect(try results[1].get() >= 29)
        for result in results { _ = try result.get() }
    }

    @Test func aRankThatTakesNothingGathersToo() async throws {
        let results = await withRanks(2) { accelerator in
            let queue = accelerator.queue(0..<4)
            if accelerator.isMainProcess { for try await _ in queue {} }
            return try await accelerator.gatherObject(queue.taken.map { $0 * 10 }, of: queue)
        }
        for result in results { #expect(try result.get() == [0, 10, 20, 30]) }
    }

    @Test func queuesOfOneNumberAreOne() async throws {
        let results = await withRanks(3) { accelerator in
            let other = Accelerator(communicator: accelerator.communicator)
            _ = other
            let queues = [accelerator.queue(0..<7), accelerator.queue(0..<5), accelerator.queue(0..<5)]
            // Each goes through them in another order.
            for step in 0..<3 { for try await _ in queues[(step + accelerator.processIndex) % 3] {} }
            var all: [[Int]] = []
            for queue in queues { all.append(try await accelerator.gatherObject(queue.taken, of: queue)) }
            return all
        }
        for result in results { #expect(try result.get() == [Array(0..<7), Array(0..<5), Array(0..<5)]) }
    }

    @Test func severalTasksOfARankShareWhatItGets() async throws {
        let results = await withRanks(2) { accelerator in
            let queue = accelerator.queue(0..<200)
            let own = try await withThrowingTaskGroup(of: [Int: String].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var own: [Int: String] = [:]
                        for try await (index, item) in queue.indexed { own[index] = "\(item)" }
                        return own
                    }
                }
                return try await group.reduce(into: [:]) { $0.merge($1) { "\($0) and \($1)" } }
            }
            return try await accelerator.gatherObject(queue.taken.compactMap { own[$0] }, of: queue)
        }
        for result in results { #expect(try result.get() == (0..<200).map(String.init)) }
    }

    @Test func aQueueOutlivesItsAccelerator() async throws {
        var accelerator: Accelerator? = Accelerator(communicator: InProcessCommunicator.group(of: 1)[0])
        let queue = try #require(accelerator?.queue(["a", "b"]))
        accelerator = nil
        var items: [String] = []
        for try await item in queue { items.append(item) }
        #expect(items == ["a", "b"])
    }

    @Test func takingGoesOnWhileAnotherCallWaits() async throws {
        let over = Latch()
        let results = await withRanks(2) { accelerator in
            let queue = accelerator.queue(0..<9)
            if accelerator.processIndex == 1 {
                await over.wait()
                return try await accelerator.waitForEveryone()
            }
            async let waiting: Void = accelerator.waitForEveryone()
            try await Task.sleep(for: .milliseconds(50))
            for try await _ in queue {}
            #expect(queue.taken.count == 9)
            over.open()
            try await waiting
        }
        #expect(results.messages == [nil, nil])
    }

    @Test func noTimeoutEndsALongItem() async throws {
        let ranks = InProcessCommunicator.group(of: 2, timeout: .seconds(1))
        let results = await withRanks(ranks) { accelerator in
            let queue = accelerator.queue(0..<2)
            if accelerator.isMainProcess { for try await _ in queue { try await Task.sleep(for: .milliseconds(700)) } }
        }
        #expect(results.messages == [nil, nil])
    }

    @Test func whoIsCancelledTakesNoMoreAndTheOthersTakeTheRest() async throws {
        let cancelled = Latch()
        let results = await withRanks(2) { accelerator in
            let queue = accelerator.queue(0..<10)
            if accelerator.processIndex == 1 {
                let (queue, started) = (queue, Latch())
                let working = Task {
                    for try await _ in queue {
                        started.open()
                        while !Task.isCancelled { await Task.yield() }
                    }
                }
                await started.wait()
                working.cancel()
                let result = await working.result
                #expect(throws: CancellationError.self) { try result.get() }
                #expect(queue.taken == [0])
                cancelled.open()
            } else {
                await cancelled.wait()
                for try await _ in queue {}
            }
            return try await accelerator.gatherObject(queue.taken, of: queue)
        }
        for result in results { #expect(try result.get() == Array(0..<10)) }
    }
}
