import ApusTestSupport
import Testing

@Suite struct FuzzTests {
    /// In a process of its own, so that a crash is a failed test and the memory measured is that of the cases.
    @Test func damagedFilesLoadCleanlyOrAreRefused() throws {
        let program = try #require(BuiltProgram.path("apus-fuzz"))
        let (status, output) = try BuiltProgram.run(program, ["--cases", "2000", "--seed", "1"])
        #expect(status == 0, "\(output)")
        #expect(output.contains("2000 cases") && output.contains(", 0 findings"), "\(output)")
    }
}
