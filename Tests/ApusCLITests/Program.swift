import Foundation

/// Runs a program that was built beside the tests, and keeps all it says.
struct Program {
    struct Outcome {
        let status: Int32
        let output: String
        let error: String

        var lines: [String] { output.split(separator: "\n").map(String.init) }
        var errorLines: [String] { error.split(separator: "\n").map(String.init) }
    }

    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// `apus`, or one of the examples.
    static func run(_ name: String, _ arguments: [String], input: String = "", environment: [String: String] = [:])
        throws -> Outcome
    {
        let process = Process()
        process.executableURL = try url(name)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let files = try (0..<3).map { _ in try temporaryFile() }
        defer {
            for file in files { try? FileManager.default.removeItem(at: file) }
        }
        try Data(input.utf8).write(to: files[0])
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: String(decoding: try Data(contentsOf: files[1]), as: UTF8.self),
            error: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self))
    }

    /// Where a program stands.
    static func path(_ name: String) throws -> String { try url(name).path }

    private static func url(_ name: String) throws -> URL {
        var folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        while folder.path.count > 1 {
            let candidate = folder.appending(path: name)
            if FileManager.default.isExecutableFile(atPath: candidate.path),
                (try? candidate.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) == false
            {
                return candidate
            }
            folder.deleteLastPathComponent()
        }
        throw Missing(description: "\(name) does not stand beside the tests")
    }

    private static func temporaryFile() throws -> URL {
        let url = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
        try Data().write(to: url)
        return url
    }
}
