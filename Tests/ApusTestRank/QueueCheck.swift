import ApusDistributed

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A queue of 40 items between real processes: `once RANK`, where that rank is slow, `kill RANK`, `exit0 RANK`, `throw RANK`:
/// ends while it holds an item, `count RANK`: has an item more, `break RANK`: all leave early, `again RANK`: every process
/// leaves the group and comes back.
enum QueueCheck {
    static func run(_ arguments: [String]) async throws {
        guard arguments.count == 2, let special = Int(arguments[1]) else { exit(64) }
        if arguments[0] == "again" { for _ in 0..<3 { try await all(Accelerator()) } }
        let accelerator = try await Accelerator()
        let isSpecial = accelerator.processIndex == special
        let items = (0..<(isSpecial && arguments[0] == "count" ? 41 : 40)).map { "item \($0)" }
        // All are there before the first takes an item, so that each gets some.
        try await accelerator.waitForEveryone()
        let queue = accelerator.queue(items)
        var results: [String] = []
        for try await (index, item) in queue.indexed {
            results.append("\(index): \(item)")
            if arguments[0] == "break", results.count == 2 { break }
            try await Task.sleep(for: .milliseconds(isSpecial && arguments[0] == "once" ? 200 : 5))
            if isSpecial { try fail(arguments[0]) }
        }
        let all: [String]
        do {
            all = try await accelerator.gatherObject(results, of: queue)
        } catch {
            accelerator.print("\(error)")
            exit(1)
        }
        guard all == items.enumerated().map({ "\($0): \($1)" }) else { exit(2) }
        for count in try await accelerator.gatherObject([results.count]) { accelerator.print(count) }
    }

    private static func fail(_ how: String) throws {
        switch how {
        case "kill": kill(getpid(), SIGKILL)
        case "exit0": exit(0)
        case "throw": throw TestRank.Mishap()
        default: break
        }
    }

    private static func all(_ accelerator: Accelerator) async throws {
        let queue = accelerator.queue(0..<10)
        for try await _ in queue {}
        guard try await accelerator.gatherObject(queue.taken, of: queue) == Array(0..<10) else { exit(3) }
    }
}
