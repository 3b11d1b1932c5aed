import ApusJSON
import ApusTestSupport
import Foundation
import Testing

@Suite("apus env")
struct EnvTests {
    @Test func factsOfTheMachine() async throws {
        let outcome = try await CommandRun(BuiltProgram.apus, ["env", "--json"]).finish()
        #expect(outcome.code == 0 && outcome.error.isEmpty)
        let facts = try #require(try Data(outcome.output.utf8).withUnsafeBytes { try JSONValue(parsing: $0) }.object)
        #expect(facts["cores"]?.integer == ProcessInfo.processInfo.activeProcessorCount)
        let memory = try #require(facts["memory_bytes"]?.integer)
        #expect(UInt64(memory) == ProcessInfo.processInfo.physicalMemory)
        #expect(facts["executable"]?.string?.hasSuffix("/apus") == true)
        #expect(facts["cpu"]?.string?.isEmpty == false && facts["cpu"]?.string != "unknown")
        #expect(facts["launcher"] == nil)
    }

    @Test func everyFactHasALineToRead() async throws {
        let json = try await CommandRun(BuiltProgram.apus, ["env", "--json"]).finish()
        let text = try await CommandRun(BuiltProgram.apus, ["env"]).finish()
        let facts = try #require(try Data(json.output.utf8).withUnsafeBytes { try JSONValue(parsing: $0) }.object)
        let lines = text.output.split(separator: "\n")
        #expect(lines.count == facts.count && lines.allSatisfy { $0.hasPrefix("- ") })
        #expect(lines.contains("- Apus version: \(facts["version"]?.string ?? "")"))
    }

    @Test func aRankSaysWhichItIsButNotItsToken() async throws {
        let outcome = try await CommandRun(
            BuiltProgram.apus, ["launch", "-n", "1", BuiltProgram.apus, "env"], environment: ["APUS_TOKEN": "secret"]
        ).finish()
        #expect(outcome.output.contains("- Launcher environment: RANK=0 WORLD_SIZE=1"))
        #expect(!outcome.output.contains("TOKEN"))
    }

    /// In time of the processor: the machine runs other tests at once.
    @Test func answersAtOnce() async throws {
        let script = "TIMEFORMAT='%3U %3S'; time '\(try BuiltProgram.apus)' env > /dev/null"
        let outcome = try await CommandRun("/bin/bash", ["-c", script]).finish()
        let seconds = outcome.error.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        #expect(seconds.count == 2 && seconds.reduce(0, +) < 0.05, "\(outcome.error)")
    }
}
