import Testing

/// The examples, as a newcomer would run them.
@Suite struct ExampleTests {
    private func launch(_ example: String, ranks: Int) throws -> Program.Outcome {
        try Program.run("apus", ["launch", "-n", "\(ranks)", try Program.path(example)])
    }

    @Test func hello() throws {
        let outcome = try launch("Hello", ranks: 3)
        #expect(outcome.status == 0)
        let greetings = (0..<3).map { "\"Hello this is process \($0)\"" }.joined(separator: ", ")
        #expect(outcome.lines == ["[\(greetings)]"])
    }

    @Test(arguments: [1, 2, 3])
    func promptsOneByOne(_ ranks: Int) throws {
        let outcome = try launch("PromptsOneByOne", ranks: ranks)
        #expect(outcome.status == 0)
        #expect(outcome.lines.count == 5)
        #expect(outcome.lines.first?.hasPrefix("a dog ") == true)
        #expect(outcome.lines.last?.hasPrefix("a mouse ") == true)
    }

    @Test func promptsInBatches() throws {
        let outcome = try launch("PromptsInBatches", ranks: 2)
        #expect(outcome.status == 0)
        #expect(outcome.lines.count == 1)
        #expect(outcome.lines.first?.wholeMatch(of: /tokens\/sec: [\d.]+/) != nil)
    }

    @Test func oddSplit() throws {
        let outcome = try launch("OddSplit", ranks: 4)
        #expect(outcome.status == 0)
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
