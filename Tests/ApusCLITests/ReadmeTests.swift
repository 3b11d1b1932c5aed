import ApusTestSupport
import Testing

/// What README shows must compile and run as it stands.
@Suite struct ReadmeTests {
    @Test func theProgramIsTheOneThatIsBuilt() throws {
        let section = try #require(try Repository.text("README.md").split(separator: "\n## In a program\n").last)
        let snippet = try #require(
            section.split(separator: "```swift\n").dropFirst().first?.split(separator: "```").first)
        // The file starts with a comment, and says where the model is.
        var rest = try Repository.text("Tests/ReadmeProgram/main.swift")[...]
        for part in snippet.split(separator: "\n\n") {
            let place = try #require(rest.firstRange(of: part.drop { $0 == "\n" }), "no such lines: \(part)")
            rest = rest[place.upperBound...]
        }
    }

    @Test(arguments: [1, 2]) func theProgramTellsThreeStories(_ processes: Int) async throws {
        let program = try BuiltProgram.path("apus-readme")
        let outcome = try await CommandRun(BuiltProgram.apus, ["launch", "-n", "\(processes)", program]).finish()
        #expect(outcome.code == 0 && outcome.lines.count == 3, "\(outcome.error)")
    }
}
