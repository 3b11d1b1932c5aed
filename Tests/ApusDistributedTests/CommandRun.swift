import ApusTestSupport
import Foundation
import Testing

/// A program started in the background, its outputs in files.
final class CommandRun {
    let process = Process()
    private let directory: TemporaryDirectory
    private let start = ContinuousClock.now

    init(_ program: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil) throws {
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
        try process.run()
    }

    struct Outcome {
        let code: Int32
        let output: String
        let error: String
        let duration: Duration
        var errorLines: [Substring] { error.split(separator: "\n") }
    }

    /// Waits; a program that takes longer than the limit is killed, which the code shows.
    func finish(within limit: Duration = .seconds(60)) async throws -> Outcome {
        while process.isRunning {
            if ContinuousClock.now - start > limit { kill(process.processIdentifier, SIGKILL) }
            try await Task.sleep(for: .milliseconds(5))
        }
        return Outcome(
            code: process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus,
            output: try text("out"), error: try text("err"), duration: ContinuousClock.now - start)
    }

    func text(_ name: String) throws -> String {
        try String(contentsOfFile: directory.path + "/" + name, encoding: .utf8)
    }

    /// Waits until the program has written as many lines.
    func awaitLines(_ count: Int) async throws -> [Substring] {
        while true {
            let lines = try text("out").split(separator: "\n")
            if lines.count >= count { return lines }
            try #require(process.isRunning && ContinuousClock.now - start < .seconds(30), "no \(count) lines came")
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

enum ProcessTable {
    /// The processes whose environment has the text, which a test makes unique.
    static func processes(withEnvironment text: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
            guard Int(name) != nil, let environment = FileManager.default.contents(atPath: "/proc/\(name)/environ")
            else {
                return false
            }
            return environment.range(of: Data(text.utf8)) != nil
        }
    }

    /// Waits until none is left, at most as long as given; returns those that are.
    static func awaitNone(withEnvironment text: String, within limit: Duration = .seconds(2)) async throws -> [String] {
        let start = ContinuousClock.now
        while true {
            let left = try processes(withEnvironment: text)
            if left.isEmpty || ContinuousClock.now - start > limit { return left }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
