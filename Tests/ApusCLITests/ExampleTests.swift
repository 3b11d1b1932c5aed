import ApusTestSupport
import Testing

/// The examples, as a newcomer would run them.
@Suite struct ExampleTests {
    private func launch(_ example: String, ranks: Int) async throws -> CommandRun.Outcome {
        try await CommandRun(BuiltProgram.apus, ["launch", "-n", "\(ranks)", BuiltProgram.path(example)]).finish()
    }

    @Test func hello() async throws {
        let outcome = try await launch("Hello", ranks: 3)
        #expect(outcome.code == 0)
        let greetings = (0..<3).map { "\"Hello this is process \($0)\"" }.joined(separator: ", ")
        #expect(outcome.lines == ["[\(greetings)]"])
    }

    @Test(arguments: [1, 2, 3])
    func promptsOneByOne(_ ranks: Int) async throws {
        let outcome = try await launch("PromptsOneByOne", ranks: ranks)
        #expect(outcome.code == 0)
        #expect(outcome.lines.count == 5)
        #expect(outcome.lines.first?.hasPrefix("a dog ") == true)
        #expect(outcome.lines.last?.hasPrefix("a mouse ") == true)
    }

    @Test(arguments: [1, 3])
    func promptsByQueue(_ ranks: Int) async throws {
        let outcome = try await launch("PromptsByQueue", ranks: ranks)
        #expect(outcome.code == 0)
        let alone = try await launch("PromptsOneByOne", ranks: 1)
        #expect(outcome.lines.count == 5 && outcome.lines == alone.lines)
    }

    /// Two processes of the program itself, the bytes of the command, and nothing to do the second time.
    @Test func promptsInARun() async throws {
        let directory = try TemporaryDirectory()
        let prompts = try directory.write("p.txt", "a dog\na cat\na mouse\n")
        let results = directory.path + "/out.jsonl"
        for words in ["3 results, 3 of them new, 0 errors", "3 results, 0 of them new, 0 errors"] {
            let outcome = try await CommandRun(BuiltProgram.path("PromptsInARun"), [prompts, results]).finish()
            #expect(outcome.code == 0 && outcome.lines.last == words, "\(outcome.output) \(outcome.error)")
        }
        let command = try await CommandRun(
            BuiltProgram.apus, ["generate", "--prompts", prompts, "--max-new-tokens", "40", "-q"]
        ).finish()
        #expect(try readFile(results) == Array(command.output.utf8))
    }

    @Test func promptsInBatches() async throws {
        let outcome = try await launch("PromptsInBatches", ranks: 2)
        #expect(outcome.code == 0)
        #expect(outcome.lines.count == 1)
        #expect(outcome.lines.first?.wholeMatch(of: /tokens\/sec: [\d.]+/) != nil)
    }

    @Test func oddSplit() async throws {
        let outcome = try await launch("OddSplit", ranks: 4)
        #expect(outcome.code == 0)
        #expect(
            outcome.lines.sorted() == [
                #"All: ["dogs", "cats", "hens", "cows", "pigs", "ducks", "owls", "bees", "ants"]"#,
                #"Process 0 - ["dogs", "cats", "hens"]"#,
                #"Process 1 - ["cows", "pigs", "ants"]"#,
                #"Process 2 - ["ducks", "owls", "ants"]"#,
                #"Process 3 - ["bees", "ants", "ants"]"#,
            ])
    }
}
