import ApusJSON
import ApusTestSupport
import Foundation
import Testing

@Suite struct GenerateCommandTests {
    private static let prompts = [
        "a dog", "a cat", "The old king", "Once there was", "a mouse", "The little bird", "", "x", "a dog and a cat",
    ]

    private func generate(_ arguments: [String]) async throws -> CommandRun.Outcome {
        try await CommandRun(BuiltProgram.apus, ["generate"] + arguments).finish()
    }

    @Test func tellsStoriesWithNothingGiven() async throws {
        let outcome = try await generate(["a dog", "a cat", "-n", "2"])
        #expect(outcome.code == 0)
        let results = try outcome.lines.map { try JSONValue(parsing: $0) }
        #expect(results.map { $0["index"]?.integer } == [0, 1])
        // Lines are the same whoever made them.
        #expect(results.allSatisfy { $0["rank"] == nil })
        // Two stories of several sentences, told to their ends.
        let stories = results.compactMap { $0["text"]?.string }
        #expect(Set(stories).count == 2)
        for story in stories { #expect(story.split(separator: ". ").count >= 4 && story.hasSuffix(".")) }
        #expect(results.map { $0["finish_reason"] } == ["stop", "stop"])
        #expect(outcome.error.contains("demo model"))
        #expect(
            outcome.errorLines.last?.wholeMatch(
                of: /tokens\/sec: [\d.]+, time elapsed: [\d.]+ s, num_tokens \d+, prompts 2/) != nil)
    }

    @Test(arguments: [
        [], ["--do-sample", "--temperature", "1.2", "--seed", "3"], ["--dtype", "float32", "--logprobs"],
        ["--do-sample", "--top-p", "0.9", "--repetition-penalty", "1.1", "--dtype", "float32"], ["--kv-cache", "int8"],
    ])
    func givesTheSameBytesHoweverItRuns(_ options: [String]) async throws {
        let directory = try TemporaryDirectory()
        let lines = Self.prompts.map {
            JSONValue.object(JSONObject([.init(key: "prompt", value: .string($0))])).serialized
        }
        let file = try directory.write("prompts.jsonl", lines.joined(separator: "\n"))
        let common = ["--prompts", file, "--max-new-tokens", "24", "--quiet"] + options
        let expected = try await generate(common + ["--batch-size", "1", "--threads", "1"])
        #expect(expected.code == 0)
        #expect(expected.lines.count == Self.prompts.count)
        for (processes, batch, threads) in [(1, 4, 2), (2, 16, 1), (3, 1, 2), (5, 4, 1)] {
            let outcome = try await generate(
                common + ["-n", "\(processes)", "--batch-size", "\(batch)", "--threads", "\(threads)"])
            #expect(outcome.output == expected.output, "\(processes) processes, batch \(batch)")
        }
    }

    @Test func readsTextAndJSONLines() async throws {
        let directory = try TemporaryDirectory()
        let text = try directory.write("prompts.txt", "\u{FEFF}a dog\r\n\n  \na cat")
        let outcome = try await generate(["--prompts", text, "--max-new-tokens", "2", "-q"])
        #expect(try outcome.lines.map { try JSONValue(parsing: $0)["prompt"]?.string } == ["a dog", "a cat"])

        let json = try directory.write(
            "prompts.jsonl",
            """
            {"prompt": "a dog", "id": "first", "max_new_tokens": 3}
            {"prompt_token_ids": [0, 421], "id": {"n": 2}}
            """)
        let results = try await generate(["--prompts", json, "--max-new-tokens", "2", "-q"]).lines.map {
            try JSONValue(parsing: $0)
        }
        #expect(results.map { $0["num_tokens"]?.integer } == [3, 2])
        #expect(results[0]["id"] == "first")
        #expect(results[1]["id"]?["n"] == 2)
        #expect(results[1]["prompt_token_ids"] == [0, 421])
    }

    @Test func writesToAFile() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/out.jsonl"
        let outcome = try await generate(["a dog", "--output", path, "--max_new_tokens", "2"])
        #expect(outcome.output.isEmpty)
        #expect(try readFile(path).last == 0x0A)
    }

    @Test func oneBadPromptLeavesTheOthersAlone() async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            "prompts.jsonl",
            """
            {"prompt": "a dog"}
            {"prompt_token_ids": [99999999]}
            {"prompt": "a cat", "temperature": -1, "do_sample": true}
            {"prompt": "a cow"}
            """)
        let outcome = try await generate(["--prompts", file, "--max-new-tokens", "2", "-n", "2"])
        #expect(outcome.code == 1)
        let results = try outcome.lines.map { try JSONValue(parsing: $0) }
        #expect(results.map { $0["error"] != nil } == [false, true, true, false])
        #expect(outcome.error.contains("prompt 1: token 99999999"))
        #expect(outcome.error.contains("temperature"))
    }

    @Test(arguments: [1, 16])
    func aRequestBeyondTheContextGetsAnErrorOfItsOwn(_ batch: Int) async throws {
        let directory = try TemporaryDirectory()
        let long = JSONValue.array(Array(repeating: 1, count: 2048))
        let file = try directory.write(
            "prompts.jsonl",
            """
            {"prompt": "a dog"}
            {"prompt": "a cat", "max_new_tokens": 3000}
            {"prompt_token_ids": \(long.serialized)}
            {"prompt": "a bird"}
            """)
        let outcome = try await generate(
            ["--prompts", file, "--max-new-tokens", "2", "--batch-size", "\(batch)", "-q"])
        #expect(outcome.code == 1)
        let results = try outcome.lines.map { try JSONValue(parsing: $0) }
        #expect(results.map { $0["num_tokens"]?.integer } == [2, nil, nil, 2])
        #expect(results[1]["error"]?.string?.hasSuffix("3000 new ones passes the context of 2048 tokens") == true)
        #expect(results[2]["error"]?.string?.hasPrefix("a prompt of 2048 tokens") == true)
    }

    @Test(arguments: [
        (["--prompts", "/nowhere.txt"], "/nowhere.txt", 1),
        (["a", "b", "--model", "/nowhere"], "/nowhere", 1),
        (["a", "b", "--model", "/nowhere", "--output", "NEW"], "/nowhere", 2),
        (["--prompts", "/nowhere.txt", "--output", "NEW"], "/nowhere.txt", 2),
        (["a", "b", "--output", "/nowhere/out"], "/nowhere/out", 2),
        (["a", "b", "--output", "/dev/full"], "/dev/full", 75),
    ])
    func failsInOneLine(_ arguments: [String], _ named: String, _ code: Int32) async throws {
        let directory = try TemporaryDirectory()
        let arguments = arguments.map { $0 == "NEW" ? directory.path + "/out" : $0 }
        for processes in ["1", "2"] {
            let outcome = try await generate(arguments + ["--quiet", "-n", processes])
            #expect(outcome.code == code)
            #expect(outcome.errorLines.count == 1, "\(outcome.error)")
            #expect(outcome.error.contains(named))
            #expect(try directory.names.isEmpty)
        }
    }

    @Test func namesTheLineAtFault() async throws {
        let directory = try TemporaryDirectory()
        for (content, place) in [
            ("{\"prompt\": \"a\"}\n{\"prompt\": 3}\n", "line 2"), ("{\"prompt\": \"a\"", "line 1"),
            ("\n\n", "no prompts"),
        ] {
            let file = try directory.write("prompts.jsonl", content)
            let outcome = try await generate(["--prompts", file])
            #expect(outcome.code == 1)
            #expect(outcome.error.contains("prompts.jsonl") && outcome.error.contains(place), "\(outcome.error)")
        }
        let broken = try directory.write("prompts.txt", [0x61, 0xFF, 0x0A])
        #expect(try await generate(["--prompts", broken]).error.contains("line 1: the line is not UTF-8"))
    }

    @Test(arguments: [
        [], ["a", "--prompts", "b"], ["a", "-n", "0"], ["a", "--temperature", "-1"], ["a", "--frobnicate"],
        ["a", "--kv-cache", "int4"],
    ])
    func refusesBadUsage(_ arguments: [String]) async throws {
        #expect(try await generate(arguments).code == 64)
    }

    @Test func refusesAnInstructionSetThatIsMissing() async throws {
        let outcome = try await CommandRun(
            BuiltProgram.apus, ["generate", "a", "-q"], environment: ["APUS_ISA": "abacus"]
        ).finish()
        #expect(outcome.code == 1)
        #expect(outcome.error.contains("APUS_ISA=abacus"))
    }
}
