import ApusDistributed
import ApusTestSupport
import Testing

@Suite("Queues that go wrong")
struct QueueErrorTests {
    struct Mishap: Error, CustomStringConvertible {
        var description: String { "the cat ran away" }
    }

    @Test func anotherNumberOfItemsIsNamed() async throws {
        let asked = Latch()
        let results = await withRanks(3) { accelerator in
            let isOther = accelerator.processIndex == 1
            let queue = accelerator.queue(0..<(isOther ? 6 : 5))
            if isOther { await asked.wait() }
            defer { asked.open() }
            if accelerator.processIndex != 2 { for try await _ in queue { asked.open() } }
            try await accelerator.waitForEveryone()
        }
        for result in results {
            #expect(result.message == "the ranks disagree: queue 1 has 5 items on rank 0, 6 on rank 1")
        }
        for case .failure(let error) in results { #expect((error as? DistributedError)?.code == .mismatch) }
    }

    @Test func anotherNumberOfItemsIsNamedWhenNobodyHasAskedForAny() async throws {
        let results = await withRanks(3) { accelerator in
            let queue = accelerator.queue(0..<(accelerator.processIndex == 2 ? 4 : 5))
            _ = try await accelerator.gatherObject([Int](), of: queue)
        }
        for result in results {
            #expect(
                result.message
                    == "gatherObject of a queue: the ranks disagree: queue 1 has 5 items on rank 0, 4 on rank 2")
        }
    }

    @Test func otherQueuesAreNamed() async throws {
        let results = await withRanks(2) { accelerator in
            let queues = [accelerator.queue(0..<5), accelerator.queue(0..<5)]
            _ = try await accelerator.gatherObject([Int](), of: queues[accelerator.processIndex])
        }
        for result in results {
            #expect(
                result.message
                    == "gatherObject of a queue: the ranks disagree: rank 0 gathers of queue 1, rank 1 of queue 2")
        }
    }

    /// Of four items in two orders, an item is met twice whichever rank takes how many.
    @Test func otherItemsAreNamed() async throws {
        let results = await withRanks(2) { accelerator in
            let queue = accelerator.queue(accelerator.processIndex == 0 ? ["bb", "a"] : ["a", "bb"])
            var iterator = queue.makeAsyncIterator()
            if accelerator.processIndex == 1 { try await accelerator.waitForEveryone() }
            _ = try await iterator.next()
            if accelerator.processIndex == 0 { try await accelerator.waitForEveryone() }
            return try await accelerator.gatherObject(queue.taken, of: queue)
        }
        for result in results {
            #expect(
                result.message
                    == "gatherObject of a queue: the ranks disagree on the items or their weights: ranks 0 and 1 have "
                    + "both taken item 0")
        }
    }

    @Test func aResultTooFewIsAnErrorEverywhere() async throws {
        let results = await withRanks(3) { accelerator in
            let queue = accelerator.queue(0..<5)
            if accelerator.processIndex == 1 { for try await _ in queue {} }
            _ = try await accelerator.gatherObject(queue.taken.dropLast().map(\.self), of: queue)
        }
        #expect(results[1].message == "there are 4 results for 5 items taken from the queue")
        for rank in [0, 2] {
            #expect(results[rank].message?.hasPrefix("rank 1 failed in gatherObject of a queue") == true)
            #expect(results[rank].message?.hasSuffix(": there are 4 results for 5 items taken from the queue") == true)
        }
    }

    @Test(arguments: [1, 2])
    func whatNobodyHasTakenIsNamed(ranks: Int) async throws {
        let results = await withRanks(ranks) { accelerator in
            let queue = accelerator.queue(0..<20)
            var results: [Int] = []
            for try await item in queue {
                results.append(item)
                if results.count * ranks == 4 { break }
            }
            let error = await #expect(throws: DistributedError.self) {
                try await accelerator.gatherObject(results, of: queue)
            }
            #expect(
                error?.message
                    == "gatherObject of a queue: nobody has taken items 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 ... of the queue's "
                    + "20: no process went on to its end")
            #expect(error?.code == .mismatch)
            // All know of it, so they can go on.
            for try await item in queue { results.append(item) }
            #expect(try await accelerator.gatherObject(results, of: queue) == Array(0..<20))
        }
        for result in results { try result.get() }
    }

    @Test func gatheringAnythingElseIsNamed() async throws {
        let results = await withRanks(2) { accelerator in
            let queue = accelerator.queue([Int]())
            if accelerator.processIndex == 0 {
                _ = try await accelerator.gatherObject([1])
            } else {
                _ = try await accelerator.gatherObject([Int](), of: queue)
            }
        }
        for result in results {
            #expect(
                result.message?.hasSuffix("rank 0 entered gatherObject, rank 1 entered gatherObject of a queue") == true
                    || result.message?.hasSuffix("rank 1 entered gatherObject of a queue, rank 0 entered gatherObject")
                        == true,
                "\(result)")
        }
    }

    @Test func resultsOfAnotherTypeAreNamed() async throws {
        let results = await withRanks(2) { accelerator in
            let queue = accelerator.queue(0..<1)
            if accelerator.processIndex == 0 {
                for try await _ in queue {}
                _ = try await accelerator.gatherObject([1], of: queue)
            } else {
                _ = try await accelerator.gatherObject([String](), of: queue)
            }
        }
        #expect(
            results[1].message == "gatherObject of a queue: rank 0 sent something that is no Array<String>",
            "\(results[1])")
    }

    @Test func aBrokenGroupHandsNothingOut() async throws {
        let results = await withRanks(2) { accelerator in
            let queue = accelerator.queue(0..<1000)
            for try await _ in queue {
                if accelerator.processIndex == 1 { try await accelerator.onProcess(1) { throw Mishap() } }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        #expect(results[0].message == "rank 1 failed in onProcess: the cat ran away")
        #expect(results[1].message == "the cat ran away")
    }
}
