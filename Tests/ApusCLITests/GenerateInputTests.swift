import ApusJSON
import ApusTestSupport
import Foundation
import Testing

/// Prompts as people write them.
@Suite struct GenerateInputTests {
    private func generate(_ arguments: [String], input: String? = nil) async throws -> CommandRun.Outcome {
        try await CommandRun(
            BuiltProgram.apus, ["generate", "--max-new-tokens", "2"] + arguments, input: input
        ).finish()
    }

    private func results(_ outcome: CommandRun.Outcome) throws -> [JSONValue] {
        try outcome.lines.map { try JSONValue(parsing: $0) }
    }

    @Test(arguments: [
        "18446744073709551615", "123456789012345678901234", "-0", "1.50", "1e400", #""caf\u00e9 \/""#, "null", "true",
        #"{"b": 1, "a": [1.0,  2], "a": null}"#, "[ ]",
    ])
    func anIdComesBackByteForByte(_ id: String) async throws {
        for key in ["id", "custom_id"] {
            let outcome = try await generate(
                ["--prompts", "-", "-q"], input: #"{"\#(key)": \#(id) , "prompt": "a dog"}"#)
            #expect(outcome.output.hasPrefix(#"{"index":0,"id":\#(id),"prompt":"a dog","#), "\(outcome.output)")
        }
    }

    @Test func aNullIdGivesWayToTheOtherName() async throws {
        let outcome = try await generate(["--prompts", "-", "-q"], input: #"{"prompt":"a","id":null,"custom_id":7}"#)
        #expect(outcome.output.hasPrefix(#"{"index":0,"id":7,"#))
        let list = try await generate(["--prompts", "-", "-q"], input: #"[{"prompt": "a"}]"#)
        #expect(list.code == 1 && list.error.contains("expected an object, got an array"))
    }

    @Test func whatIsNoJSONIsRefusedWithItsLine() async throws {
        for line in [#"{"prompt":"a","id":NaN}"#, #"{"prompt":"a","temperature":-Infinity}"#, #"{"prompt":"a"},"#, "{"]
        {
            let outcome = try await generate(["--prompts", "-", "-q"], input: #"{"prompt":"a"}"# + "\n" + line)
            #expect(outcome.code == 1 && outcome.errorLines.count == 1 && outcome.output.isEmpty)
            #expect(outcome.error.contains("standard input, line 2: invalid JSON"), "\(outcome.error)")
        }
    }

    @Test func nullIsAbsentAndOtherNamesAreUnderstood() async throws {
        let outcome = try await generate(
            ["--prompts", "-"],
            input: #"""
                {"prompt": "a dog", "prompt_token_ids": null, "max_new_tokens": null, "temperature": null}
                {"prompt": "a dog", "max_tokens": 1, "stop": null, "add_special_tokens": null}
                {"prompt": "a dog", "max_tokens": 9, "max_new_tokens": 3, "stop": ["zzz"], "temprature": 2, "n\u0001": 1}
                """#)
        #expect(outcome.code == 0)
        #expect(try results(outcome).map { $0["num_tokens"]?.integer } == [2, 1, 3])
        let remarks = outcome.errorLines.filter { $0.contains("without effect") }
        #expect(remarks == [#"standard input: not settings of a prompt, and without effect: "temprature", "n\u{1}""#])
    }

    @Test func aStopMayBeOneString() async throws {
        let whole = try await generate(["a dog", "-q", "--max-new-tokens", "8"])
        let text = try #require(try results(whole).first?["text"]?.string)
        let word = try #require(text.split(separator: " ").first)
        let stopped = try await generate(
            ["--prompts", "-", "-q", "--max-new-tokens", "8"], input: #"{"prompt": "a dog", "stop": "\#(word)"}"#)
        #expect(try results(stopped).first?["finish_reason"] == "stop_string")
        #expect(try results(stopped).first?["text"]?.string?.hasSuffix(word) == true)
    }

    @Test(arguments: ["p.TXT", "p.md", "p", "p.prompts"])
    func textNeedsNoEnding(_ name: String) async throws {
        let directory = try TemporaryDirectory()
        let outcome = try await generate(["--prompts", directory.write(name, "a dog\n\na cat\n"), "-q"])
        #expect(try results(outcome).map { $0["prompt"]?.string } == ["a dog", "a cat"])
    }

    @Test func theFirstLineShowsWhatAStreamHolds() async throws {
        let text = try await generate(["--prompts", "-", "-q"], input: "a dog\n{not JSON\n")
        #expect(try results(text).map { $0["prompt"]?.string } == ["a dog", "{not JSON"])
        let directory = try TemporaryDirectory()
        let json = try await generate(["--prompts", directory.write("p", #" {"prompt": "a dog"}"#), "-q"])
        #expect(try results(json).map { $0["prompt"]?.string } == ["a dog"])
    }

    @Test(arguments: ["- milk", "--foo", "-x"])
    func aPromptWithADashIsHintedAt(_ prompt: String) async throws {
        let outcome = try await generate([prompt])
        #expect(outcome.code == 64)
        #expect(outcome.errorLines.first?.contains("goes behind --") == true, "\(outcome.error)")
        #expect(try results(try await generate(["-q", "--", prompt])).first?["prompt"]?.string == prompt)
    }

    @Test func aLineSaysWhetherSpecialTokensAreAdded() async throws {
        let outcome = try await generate(
            ["--prompts", "-", "-q", "--no-special-tokens"],
            input: #"{"prompt": "a dog"}"# + "\n" + #"{"prompt": "a dog", "add_special_tokens": true}"#)
        let counts = try results(outcome).map { $0["num_prompt_tokens"]?.integer ?? 0 }
        #expect(counts[1] == counts[0] + 1)
        let odd = try await generate(["--prompts", "-"], input: #"{"prompt": "a dog", "add_special_tokens": 1}"#)
        #expect(odd.code == 1 && odd.error.contains(#""add_special_tokens" must be true or false"#))
    }

    @Test func aSecondStartTokenStaysWithOneRemark() async throws {
        let model = try #require(BuiltProgram.demo)
        let start = try #require(
            try JSONValue(parsing: String(contentsOfFile: model + "/tokenizer_config.json", encoding: .utf8))[
                "bos_token"]?
                .string)
        let lines = ["a dog", start + "a dog", start + "a cat"].map { prompt in
            (["prompt": .string(prompt)] as JSONValue).serialized
        }
        let outcome = try await generate(["--prompts", "-", "-n", "2"], input: lines.joined(separator: "\n"))
        let counts = try results(outcome).map { $0["num_prompt_tokens"]?.integer ?? 0 }
        #expect(counts[1] == counts[0] + 1)
        #expect(outcome.errorLines.count { $0.contains("get a second one") } == 1)
        let plain = try await generate(["--no-special-tokens", "--", "a dog", start + "a dog"])
        #expect(try results(plain).map { $0["num_prompt_tokens"]?.integer } == [counts[0] - 1, counts[0]])
        #expect(!plain.error.contains("get a second one"))
    }

    @Test func theContextIsRaisedAndLowered() async throws {
        let ids = JSONValue.array(Array(repeating: 5, count: 600)).serialized
        let line = #"{"prompt_token_ids": \#(ids)}"#
        let usual = try await generate(["--prompts", "-"], input: line)
        #expect(usual.code == 0 && usual.error.contains("pass the 512 tokens that the model was made for"))
        let lowered = try await generate(["--prompts", "-", "--context-length", "600"], input: line)
        #expect(lowered.code == 1 && lowered.error.contains("passes the context of 600 tokens"))
        let long = JSONValue.array(Array(repeating: 5, count: 3000)).serialized
        let raised = try await generate(
            ["--prompts", "-", "--context-length", "4000"], input: #"{"prompt_token_ids": \#(long)}"#)
        #expect(raised.code == 0 && raised.error.contains("--context-length 4000 passes the 512 tokens"))
        #expect(try await generate(["a", "--context-length", "0"]).code == 64)
    }

    @Test func settingsWithoutEffectAreNotEnforced() async throws {
        let outcome = try await generate(
            ["--prompts", "-", "-q"], input: #"{"prompt": "a dog", "top_k": -1, "top_p": 7}"#)
        #expect(outcome.code == 0)
        let sampled = try await generate(
            ["--prompts", "-", "-q", "--do-sample"], input: #"{"prompt": "a", "top_k": -1}"#)
        #expect(sampled.code == 1 && sampled.error.contains("top_k must be at least 0"))
    }

    @Test func typesHaveTheirOtherNames() async throws {
        for (name, other) in [("half", "float16"), ("float", "float32")] {
            let (first, second) = (
                try await generate(["a dog", "-q", "--dtype", name]),
                try await generate(["a dog", "-q", "--dtype", other])
            )
            #expect(first.code == 0 && first.output == second.output)
        }
        #expect(try await generate(["a dog", "--dtype", "int8"]).code == 64)
    }
}
