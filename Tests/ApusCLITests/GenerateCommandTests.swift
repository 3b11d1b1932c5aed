import ApusJSON
import ApusTestSupport
import Foundation
import Testing

@Suite struct GenerateCommandTests {
    private static let prompts = [
        "a dog", "a cat", "The old king", "Once there was", "a mouse", "The little bird", "", "x", "a dog and a cat",
    ]

    private func generate(_ arguments: [String]) throws -> Program.Outcome {
        try Program.run("apus", ["generate"] + arguments)
    }

    private func withoutRank(_ outcome: Program.Outcome) -> String {
        outcome.output.replacing(/"rank":\d+/, with: "")
    }

    @Test func tellsStoriesWithNothingGiven() throws {
        let outcome = try generate(["a dog", "a cat", "-n", "2"])
        #expect(outcome.status == 0)
        let results = try outcome.lines.map { try JSONValue(parsing: $0) }
        #expect(results.map { $0["index"]?.integer } == [0, 1])
        #expect(Set(results.map { $0["rank"]?.integer }) == [0, 1])
        #expect(results[0]["text"]?.string?.contains("dog") == true)
        #expect(results[1]["text"]?.string?.contains("cat") == true)
        #expect(outcome.error.contains("demo model"))
        #expect(
            outcome.errorLines.last?.wholeMatch(
                of: /tokens\/sec: [\d.]+, time elapsed: [\d.]+ s, num_tokens \d+, prompts 2/) != nil)
    }

    @Test(arguments: [
        [], ["--do-sample", "--temperature", "1.2", "--seed", "3"], ["--dtype", "float32", "--logprobs"],
        ["--do-sample", "--top-p", "0.9", "--repetition-penalty", "1.1", "--dtype", "float32"],
    ])
    func givesTheSameBytesHoweverItRuns(_ options: [String]) throws {
        let directory = try TemporaryDirectory()
        let lines = Self.prompts.map {
            JSONValue.object(JSONObject([.init(key: "prompt", value: .string($0))])).serialized
        }
        let file = try directory.write("prompts.jsonl", lines.joined(separator: "\n"))
        let common = ["--prompts", file, "--max-new-tokens", "24", "--quiet"] + options
        let expected = try generate(common + ["--batch-size", "1", "--threads", "1"])
        #expect(expected.status == 0)
        #expect(expected.lines.count == Self.prompts.count)
        for (processes, batch, threads) in [(1, 4, 2), (2, 16, 1), (3, 1, 2), (5, 4, 1)] {
            let outcome = try generate(
                common + ["-n", "\(processes)", "--batch-size", "\(batch)", "--threads", "\(threads)"])
            #expect(withoutRank(outcome) == withoutRank(expected), "\(processes) processes, batch \(batch)")
        }
    }

    @Test func readsTextAndJSONLines() throws {
        let directory = try TemporaryDirectory()
        let text = try directory.write("prompts.txt", "\u{FEFF}a dog\r\n\n  \na cat")
        let outcome = try generate(["--prompts", text, "--max-new-tokens", "2", "-q"])
        #expect(try outcome.lines.map { try JSONValue(parsing: $0)["prompt"]?.string } == ["a dog", "a cat"])

        let json = try directory.write(
            "prompts.jsonl",
            """
            {"prompt": "a dog", "id": "first", "max_new_tokens": 3}
            {"prompt_token_ids": [0, 421], "id": {"n": 2}}
            """)
        let results = try generate(["--prompts", json, "--max-new-tokens", "2", "-q"]).lines.map {
            try JSONValue(parsing: $0)
        }
        #expect(results.map { $0["num_tokens"]?.integer } == [3, 2])
        #expect(results[0]["id"] == "first")
        #expect(results[1]["id"]?["n"] == 2)
        #expect(results[1]["prompt_token_ids"] == [0, 421])
    }

    @Test func writesToAFile() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/out.jsonl"
        let outcome = try generate(["a dog", "--output", path, "--max_new_tokens", "2"])
        #expect(outcome.output.isEmpty)
        #expect(try readFile(path).last == 0x0A)
    }

    @Test func oneBadPromptLeavesTheOthersAlone() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            "prompts.jsonl",
            """
            {"prompt": "a dog"}
            {"prompt_token_ids": [99999999]}
            {"prompt": "a cat", "temperature": -1}
            {"prompt": "a cow"}
            """)
        let outcome = try generate(["--prompts", file, "--max-new-tokens", "2", "-n", "2"])
        #expect(outcome.status == 1)
        let results = try outcome.lines.map { try JSONValue(parsing: $0) }
        #expect(results.map { $0["error"] != nil } == [false, true, true, false])
        #expect(outcome.error.contains("prompt 1: token 99999999"))
        #expect(outcome.error.contains("temperature"))
    }

    @Test(arguments: [
        (["--prompts", "/nowhere.txt"], "/nowhere.txt"),
        (["a", "b", "--model", "/nowhere"], "/nowhere"),
        (["a", "b", "--output", "/nowhere/out"], "/nowhere/out"),
        (["a", "b", "--output", "/dev/full"], "/dev/full"),
    ])
    func failsInOneLine(_ arguments: [String], _ named: String) throws {
        for processes in ["1", "2"] {
            let outcome = try generate(arguments + ["--quiet", "-n", processes])
            #expect(outcome.status == 1)
            #expect(outcome.errorLines.count == 1, "\(outcome.error)")
            #expect(outcome.error.contains(named))
        }
    }

    @Test func namesTheLineAtFault() throws {
        let directory = try TemporaryDirectory()
        for (content, place) in [
            ("{\"prompt\": \"a\"}\n{\"prompt\": 3}\n", "line 2"), ("{\"prompt\": \"a\"", "line 1"),
            ("\n\n", "no prompts"),
        ] {
            let file = try directory.write("prompts.jsonl", content)
            let outcome = try generate(["--prompts", file])
            #expect(outcome.status == 1)
            #expect(outcome.error.contains("prompts.jsonl") && outcome.error.contains(place), "\(outcome.error)")
        }
        let broken = try directory.write("prompts.txt", [0x61, 0xFF, 0x0A])
        #expect(try generate(["--prompts", broken]).error.contains("line 1: the line is not UTF-8"))
    }

    @Test(arguments: [
        [], ["a", "--prompts", "b"], ["a", "-n", "0"], ["a", "--temperature", "-1"], ["a", "--frobnicate"],
    ])
    func refusesBadUsage(_ arguments: [String]) throws {
        #expect(try generate(arguments).status == 64)
    }

    @Test func refusesAnInstructionSetThatIsMissing() throws {
        let outcome = try Program.run("apus", ["generate", "a", "-q"], environment: ["APUS_ISA": "abacus"])
        #expect(outcome.status == 1)
        #expect(outcome.error.contains("APUS_ISA=abacus"))
    }
}
