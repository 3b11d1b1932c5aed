import ApusJSON
import ApusTestSupport
import Foundation
import Testing

@Suite struct VersionTests {
    @Test func namesVersionCommitAndBuild() async throws {
        let outcome = try await CommandRun(BuiltProgram.apus, ["--version"]).finish()
        let pattern =
            /apus (\d+\.\d+\.\d+) \((?:([0-9a-f]{7,})(?:-modified)?|unknown), release, Swift 6[^,]*, \w+ \w+\)/
        let match = try #require(try pattern.wholeMatch(in: outcome.lines.first ?? ""))
        let facts = try JSONValue(
            parsing: await CommandRun(BuiltProgram.apus, ["env", "--json"]).finish().output)
        #expect(facts["version"]?.string == String(match.output.1))
        #expect(facts["commit"]?.string?.hasPrefix(match.output.2 ?? "unknown") == true)
        #expect(facts["configuration"] == "release")
        #expect(try Repository.text("CHANGELOG.md").contains("## [\(match.output.1)]"))
    }

    // MARK: The script that finds the commit

    private static let configuration = [
        "-c", "user.name=A", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false", "-c", "safe.directory=*",
    ]

    @discardableResult
    private func git(_ arguments: [String], in directory: String) async throws -> String {
        let outcome = try await CommandRun(
            "/usr/bin/env", ["git", "-C", directory] + Self.configuration + arguments
        ).finish()
        #expect(outcome.code == 0, "\(outcome.error)")
        return outcome.lines.first ?? ""
    }

    private func commit(in directory: String, path: String? = nil) async throws -> String {
        let environment = path.map { ["PATH": $0] } ?? [:]
        return try await CommandRun("/bin/sh", [directory + "/Scripts/commit.sh"], environment: environment)
            .finish().lines.first ?? ""
    }

    /// The script and one source, as a package would have them.
    private func fill(_ directory: String) throws {
        for folder in ["Scripts", "Sources"] {
            try FileManager.default.createDirectory(
                atPath: directory + "/" + folder, withIntermediateDirectories: true)
        }
        try Repository.text("Scripts/commit.sh").write(
            toFile: directory + "/Scripts/commit.sh", atomically: true, encoding: .utf8)
        try Repository.text(".gitattributes").write(
            toFile: directory + "/.gitattributes", atomically: true, encoding: .utf8)
        try "let a = 1".write(toFile: directory + "/Sources/A.swift", atomically: true, encoding: .utf8)
    }

    @Test func theCommitIsThatOfTheSources() async throws {
        let directory = try TemporaryDirectory()
        try fill(directory.path)
        #expect(try await commit(in: directory.path) == "unknown")
        try await git(["init", "-q"], in: directory.path)
        #expect(try await commit(in: directory.path) == "unknown")
        try await git(["add", "."], in: directory.path)
        try await git(["commit", "-qm", "First"], in: directory.path)
        let first = try await git(["rev-parse", "--short=7", "HEAD"], in: directory.path)
        #expect(try await commit(in: directory.path) == first)
        // What is no source makes no other program.
        try directory.write("notes.txt", "dear")
        #expect(try await commit(in: directory.path) == first)
        try directory.write("Sources/B.swift", "let b = 1")
        #expect(try await commit(in: directory.path) == first + "-modified")
        // Without git at hand.
        #expect(try await commit(in: directory.path, path: "/nowhere") == "unknown")

        // An archive that git makes names its commit by itself.
        try await git(["archive", "-o", "a.tar", "HEAD"], in: directory.path)
        let archived = try TemporaryDirectory()
        let unpacked = try await CommandRun(
            "/usr/bin/env", ["tar", "-xf", directory.path + "/a.tar", "-C", archived.path]
        ).finish()
        #expect(unpacked.code == 0)
        #expect(try await commit(in: archived.path) == first)
    }

    @Test func aCopyInsideAnotherRepositoryHasNoneOfItsCommits() async throws {
        let outer = try TemporaryDirectory()
        let inner = outer.path + "/vendored"
        try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
        try fill(inner)
        try await git(["init", "-q"], in: outer.path)
        try await git(["add", "."], in: outer.path)
        try await git(["commit", "-qm", "First"], in: outer.path)
        #expect(try await commit(in: inner) == "unknown")
    }
}
