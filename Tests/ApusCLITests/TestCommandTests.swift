import ApusTestSupport
import Testing

@Suite struct TestCommandTests {
    private static let checks = [
        "kernels", "barrier", "gather objects", "broadcast objects", "gather tensors", "reduce tensors", "split",
        "queue",
        "load", "generate", "processes",
    ]

    private func test(_ arguments: [String], _ environment: [String: String] = [:]) async throws -> CommandRun.Outcome {
        try await CommandRun(BuiltProgram.apus, ["test"] + arguments, environment: environment).finish()
    }

    @Test(arguments: [1, 2, 5]) func everythingWorksHere(ranks: Int) async throws {
        let outcome = try await test(["-n", "\(ranks)"])
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.error)")
        #expect(outcome.lines.map { String($0.prefix { $0 != ":" }) } == Self.checks.map { "ok      " + $0 })
    }

    @Test func aModelThatIsNotThereIsOneFailure() async throws {
        let outcome = try await test(["--model", "/none"])
        #expect(outcome.code == 1)
        let failed = outcome.lines.filter { $0.hasPrefix("failed") }
        #expect(failed.count == 2 && failed[0].hasPrefix("failed  load: rank 0: /none"), "\(outcome.output)")
    }

    @Test func copiesThatKnowNothingOfEachOtherAreRefused() async throws {
        let outcome = try await test([], ["OMPI_COMM_WORLD_SIZE": "4"])
        #expect(outcome.code == 1 && outcome.error.contains("4 copies") && outcome.output.isEmpty)
    }
}
