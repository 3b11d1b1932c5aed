import ApusCompute
import ApusDistributed

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the tests of launching run as a rank or as a worker: one behaviour for each first argument.
@main
struct TestRank {
    struct Mishap: Error, CustomStringConvertible {
        var description: String { "the cat ran away" }
    }

    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch arguments.first {
        case "pool": try await PoolWorker.work(Array(arguments.dropFirst()))
        case "coordinate": try await PoolWorker.coordinate(arguments[1])
        case "collectives": try await CollectiveCheck.run()
        case "fail": try await fail(Array(arguments.dropFirst()))
        case "queue": try await QueueCheck.run(Array(arguments.dropFirst()))
        case "wait": try await WaitCheck.run(Array(arguments.dropFirst()))
        case "lines": lines()
        default: exit(64)
        }
    }

    /// `fail HOW RANK MILLISECONDS`: one rank fails while the others wait, or work and then wait.
    private static func fail(_ arguments: [String]) async throws {
        guard arguments.count == 3, let culprit = Int(arguments[1]), let delay = Int(arguments[2]) else { exit(64) }
        let accelerator = try await Accelerator()
        try await accelerator.waitForEveryone()
        if accelerator.processIndex == culprit {
            try await Task.sleep(for: .milliseconds(delay))
            switch arguments[0] {
            case "throw": throw Mishap()
            case "throw-inside": try await accelerator.splitBetweenProcesses(0..<100) { _ in throw Mishap() }
            case "exit3": exit(3)
            case "exit0": exit(0)
            case "return": return
            case "kill": kill(getpid(), SIGKILL)
            case "abort": abort()
            case "mismatch": _ = try await accelerator.gatherObject([1])
            case "hang": while true { try await Task.sleep(for: .seconds(1000)) }
            default: exit(64)
            }
        }
        try await accelerator.waitForEveryone()
    }

    /// Writes lines in small pieces, so that two ranks' would mix if anything let them.
    private static func lines() {
        let rank = getenv("RANK").map { String(cString: $0) } ?? "?"
        for line in 0..<200 {
            for piece in ["<rank \(rank)", " writes", " line \(line)", ">\n"] { say(piece, to: STDOUT_FILENO) }
        }
        say("<rank \(rank) has no end of line>", to: STDOUT_FILENO)
    }

    static func say(_ text: String, to descriptor: Int32 = STDERR_FILENO) {
        var text = text
        text.withUTF8 { _ = write(descriptor, $0.baseAddress, $0.count) }
    }
}
