import ApusCompute
import ApusDistributed

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Calls that end otherwise than by an answer: `cancel RANK`, `timeout SECONDS RANK`, `overlap RANK`, `large RANK`; and
/// `twice 0`.
enum WaitCheck {
    static func run(_ arguments: [String]) async throws {
        guard let rank = arguments.last.flatMap({ Int($0) }) else { exit(64) }
        switch arguments.first {
        case "cancel": try await cancel(rank)
        case "timeout": try await timeout(.seconds(Double(arguments[1]) ?? 1), rank)
        case "overlap": try await overlap(rank)
        case "large": try await large(rank)
        case "twice": try await twice()
        default: exit(64)
        }
    }

    private static func report(_ accelerator: Accelerator, _ error: any Error) {
        TestRank.say("rank \(accelerator.processIndex): \(error)\n", to: STDOUT_FILENO)
    }

    private static func cancel(_ rank: Int) async throws {
        signal(SIGTERM, SIG_IGN)  // there is still something to say
        let accelerator = try await Accelerator()
        try await accelerator.waitForEveryone()
        guard accelerator.processIndex == rank else {
            do { _ = try await accelerator.gatherObject([1]) } catch { exit(1) }
            return
        }
        // Long enough for all others to be there.
        try await Task.sleep(for: .milliseconds(300))
        let waiting = Task { try await accelerator.gatherObject([1]) }
        waiting.cancel()
        do { _ = try await waiting.value } catch { report(accelerator, error) }
        exit(1)
    }

    private static func timeout(_ limit: Duration, _ rank: Int) async throws {
        let accelerator = try await Accelerator(timeout: limit)
        try await accelerator.waitForEveryone()
        if accelerator.processIndex == rank { try await Task.sleep(for: .seconds(1000)) }
        do { _ = try await accelerator.gatherObject([1]) } catch { exit(1) }
    }

    private static func overlap(_ rank: Int) async throws {
        let accelerator = try await Accelerator()
        try await accelerator.waitForEveryone()
        let waiting = Task {
            if accelerator.processIndex != rank { try await Task.sleep(for: .milliseconds(400)) }
            return try await accelerator.gatherObject([1])
        }
        if accelerator.processIndex == rank {
            try await Task.sleep(for: .milliseconds(100))
            do { try await accelerator.waitForEveryone() } catch { report(accelerator, error) }
        }
        do { _ = try await waiting.value } catch { report(accelerator, error) }
        try await accelerator.waitForEveryone()
    }

    private static func large(_ rank: Int) async throws {
        signal(SIGTERM, SIG_IGN)
        let accelerator = try await Accelerator()
        let count = accelerator.processIndex == rank ? (1 << 30) - 1 : 1
        do {
            let bytes = [UInt8](repeating: 0, count: count)
            _ = try await accelerator.gather(HostTensor(shape: Shape([count]), dtype: .uint8, bytes: bytes))
        } catch {
            if accelerator.processIndex == rank { report(accelerator, error) }
            exit(1)
        }
    }

    private static func twice() async throws {
        let first = try await Accelerator()
        async let second = Accelerator(timeout: .seconds(30))
        async let third = Accelerator()
        let (one, other) = try await (second, third)
        let all = try await first.gatherObject([one.processIndex])
        try await other.waitForEveryone()
        guard all == Array(0..<first.numProcesses) else { exit(2) }
        do {
            // Released again, while the others go on.
            _ = try await Accelerator().gatherObject([1])
        }
        try await one.waitForEveryone()
        first.print("one group of \(first.numProcesses)")
    }
}
