package import Foundation
import Synchronization

/// A program started in the background, its outputs in files.
package final class CommandRun {
    package let process = Process()
    private let directory: TemporaryDirectory
    private let start = ContinuousClock.now
    /// Noted when it ends, not when the test comes to look: other tests may hold all threads by then.
    private let end = EndOfRun()

    package init(_ program: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil)
        throws
    {
        directory = try TemporaryDirectory()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput =
            try input.map {
                try FileHandle(forReadingAtPath: directory.write("in", $0)) ?? .nullDevice
            } ?? .nullDevice
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: directory.write("out", "")))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: directory.write("err", "")))
        process.terminationHandler = { [end] _ in end.note() }
        try process.run()
    }

    package struct Outcome: Sendable {
        package let code: Int32
        package let output: String
        package let error: String
        package let duration: Duration
        package var lines: [String] { output.split(separator: "\n").map(String.init) }
        package var errorLines: [String] { error.split(separator: "\n").map(String.init) }
    }

    /// Since its start.
    package var age: Duration { ContinuousClock.now - start }

    /// Waits; a program that takes longer than the limit is killed, which the code shows.
    package func finish(within limit: Duration = .seconds(60)) async throws -> Outcome {
        // Not since its start: it may have waited for this test, which waited for its turn.
        let begin = ContinuousClock.now
        while process.isRunning {
            if ContinuousClock.now - begin > limit { kill(process.processIdentifier, SIGKILL) }
            try await Task.sleep(for: .milliseconds(5))
        }
        return Outcome(
            code: process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus,
            output: try text("out"), error: try text("err"), duration: try await end.time() - start)
    }

    package func text(_ name: String) throws -> String {
        try String(contentsOfFile: directory.path + "/" + name, encoding: .utf8)
    }

    /// Waits until the program has written as many lines.
    package func awaitLines(_ count: Int) async throws -> [Substring] {
        while true {
            let lines = try text("out").split(separator: "\n")
            if lines.count >= count { return lines }
            guard process.isRunning, ContinuousClock.now - start < .seconds(30) else {
                throw Missing(description: "no \(count) lines came")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// Something that a test counted on and that is not there.
package struct Missing: Error, CustomStringConvertible {
    package let description: String
}

private final class EndOfRun: Sendable {
    private let instant = Mutex<ContinuousClock.Instant?>(nil)

    func note() { instant.withLock { $0 = .now } }

    func time() async throws -> ContinuousClock.Instant {
        while true {
            if let time = instant.withLock({ $0 }) { return time }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}
