import ApusTestSupport
import Foundation
import Testing

@Suite("What cannot be split does not compile")
struct CompileFailureTests {
    /// Type-checks `accelerator.splitBetweenProcesses(EXPRESSION)` against the built module.
    private func check(_ expression: String) async throws -> CommandRun.Outcome {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            "main.swift",
            """
            import ApusDistributed
            func check(_ accelerator: Accelerator) throws { _ = try accelerator.splitBetweenProcesses(\(expression)) }
            """)
        let build = URL(filePath: try BuiltProgram.apus).resolvingSymlinksInPath().deletingLastPathComponent()
        let maps = try Self.moduleMaps(build).flatMap { ["-Xcc", "-fmodule-map-file=" + $0] }
        return try await CommandRun(
            "/usr/bin/env",
            ["swiftc", "-typecheck", "-swift-version", "6", "-I", build.appending(path: "Modules").path] + maps + [file]
        ).finish()
    }

    /// The C modules under the Swift ones: the compiler wants to see them, used or not.
    private static func moduleMaps(_ build: URL) throws -> [String] {
        let files = FileManager.default
        let checkouts = build.appending(path: "../../checkouts").standardized
        var folders = try files.contentsOfDirectory(atPath: build.path).map { build.appending(path: $0) }
        for package in try files.contentsOfDirectory(atPath: checkouts.path) {
            let sources = checkouts.appending(path: package + "/Sources")
            folders += try files.contentsOfDirectory(atPath: sources.path).map {
                sources.appending(path: $0 + "/include")
            }
        }
        return folders.map { $0.path + "/module.modulemap" }.filter(files.fileExists(atPath:))
    }

    @Test(arguments: ["[1, 2, 3]", "0..<3", "[\"a\": [1]]", "[\"a\": [\"b\": [1]]]", "[1, 2, 3].reversed()"])
    func whatCanBeSplitCompiles(expression: String) async throws {
        let outcome = try await check(expression)
        #expect(outcome.code == 0, "\(outcome.error)")
    }

    @Test(arguments: [
        "3", "\"a dog\"", "Set([1, 2, 3])", "[\"a\": 1]", "[\"a\": \"dog\"]", "[\"a\": [\"b\": 1]]",
        "[1, 2].makeIterator()",
        "(1, 2)", "{ [1, 2] }",
    ])
    func whatCannotBeSplitDoesNot(expression: String) async throws {
        let outcome = try await check(expression)
        #expect(outcome.code == 1)
        #expect(
            outcome.error.contains("Splittable") || outcome.error.contains("RandomAccessCollection"), "\(outcome.error)"
        )
    }
}
