import ApusTestSupport
import Testing

@Suite struct FuzzTests {
    /// In a process of its own, so that a crash is a failed test and the memory measured is that of the cases.
    @Test func damagedFilesLoadCleanlyOrAreRefused() async throws {
        let outcome = try await CommandRun(BuiltProgram.path("apus-fuzz"), ["--cases", "2000", "--seed", "1"])
            .finish(within: .seconds(300))
        let output = outcome.output + outcome.error
        #expect(outcome.code == 0, "\(output)")
        #expect(output.contains("2000 cases") && output.contains(", 0 findings"), "\(output)")
    }
}
