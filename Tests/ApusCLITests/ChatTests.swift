import ApusJSON
import ApusTestSupport
import Foundation
import Testing

/// Conversations in a terminal, one that `script` of util-linux makes, with the demo model and a small template.
@Suite struct ChatTests {
    /// The demo's directory with a chat template.
    private func model(_ place: TemporaryDirectory) throws -> String {
        let demo = fixtures + "/../../Sources/Apus/Demo"
        let folder = place.path + "/model"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: demo) {
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/\(name)", withDestinationPath: "\(demo)/\(name)")
        }
        let template = "{{ bos_token }}{% for message in messages %}{{ message.content }} {% endfor %}"
        try template.write(toFile: folder + "/chat_template.jinja", atomically: true, encoding: .utf8)
        return folder
    }

    private func talk(_ shell: String) async throws -> String {
        let outcome = try await CommandRun("/bin/sh", ["-c", shell], environment: ["TERM": "dumb"]).finish()
        #expect(outcome.code == 0, "\(outcome.output)")
        return outcome.output
    }

    @Test func aSecondTurnGoesOnInTheCacheOfTheFirst() async throws {
        let place = try TemporaryDirectory()
        let first = "Once upon a time there was a small dog who lived near the big green park and"
        let text = try await talk(
            """
            printf '\(first)\\nAnd then\\n/save \(place.path)/saved.jsonl\\n/clear\\nOnce\\n/exit\\n' | \
            script -qec "'\(try BuiltProgram.apus)' chat --model '\(try model(place))' --verbose --max-new-tokens 24" /dev/null
            """)
        let turns = text.matches(of: /(\d+) tokens, (\d+) of them from the cache; (\d+) new/)
            .compactMap { match in Int(match.1).flatMap { all in Int(match.2).map { (all, $0) } } }
        try #require(turns.count == 3, "\(text)")
        #expect(turns[0].1 == 0)
        // All full blocks of what the first turn had computed.
        #expect(turns[1].1 >= turns[0].0 / 16 * 16 && turns[1].1 > 0 && turns[1].1 % 16 == 0)
        #expect(turns[2].0 < turns[0].0)
        let saved = try String(contentsOfFile: place.path + "/saved.jsonl", encoding: .utf8)
        #expect(saved.hasPrefix(#"{"messages":[{"role":"user","content":"\#(first)"},{"role":"assistant","#))
        #expect(saved.hasSuffix("}]}\n"))
    }

    @Test func conversationsOfAPromptsFileTakeATemplate() async throws {
        let place = try TemporaryDirectory()
        let (model, template, prompts) = (try model(place), place.path + "/own.jinja", place.path + "/p.jsonl")
        try place.write("own.jinja", "{{ bos_token }}Well, {{ messages[0].content }}")
        try place.write("p.jsonl", #"{"messages": [{"role": "user", "content": "a dog"}]}"# + "\n")
        func run(_ arguments: [String]) async throws -> CommandRun.Outcome {
            try await CommandRun(BuiltProgram.apus, arguments + ["--model", model, "--template", template]).finish()
        }
        let rendered = try JSONValue(parsing: try await run(["tokenize", "--input", prompts]).output).object
        let ids = try #require(rendered?["ids"]?.array)
        let made = try await run(["generate", "--prompts", prompts, "--output", place.path + "/o.jsonl", "-q"])
        #expect(made.code == 0, "\(made.error)")
        let result = try JSONValue(parsing: String(contentsOfFile: place.path + "/o.jsonl", encoding: .utf8)).object
        #expect(result?["num_prompt_tokens"]?.integer == ids.count)
        let unknown = try await CommandRun(
            BuiltProgram.apus, ["generate", "--prompts", prompts, "--model", model, "--template", "none", "-q"]
        ).finish()
        #expect(unknown.code == 1 && unknown.error.contains("there is no chat template \"none\""), "\(unknown.error)")
    }

    @Test func anInterruptStopsAnAnswerAndNotTheProgram() async throws {
        let place = try TemporaryDirectory()
        let output = place.path + "/output"
        let text = try await talk(
            """
            (until grep -q '/exit or' '\(output)' 2>/dev/null; do sleep 0.1; done; printf 'Zebras\\n'; \
            until [ "$(wc -c < '\(output)')" -gt 300 ]; do sleep 0.1; done; printf '\\003'; \
            until grep -q ' new' '\(output)'; do sleep 0.1; done; printf '/exit\\n') | \
            script -qefc "'\(try BuiltProgram.apus)' chat --model '\(try model(place))' --verbose \
            --min-new-tokens 4000 --context-length 4100 --max-new-tokens 4000" /dev/null > '\(output)' 2>&1; cat '\(output)'
            """)
        let count = try #require(text.firstMatch(of: /; (\d+) new/).flatMap { Int($0.1) }, "\(text)")
        #expect(count < 4000)
        #expect(text.contains("> /exit") || text.hasSuffix("> "))
    }

    @Test func withoutATerminalThereAreAnswersAlone() async throws {
        let place = try TemporaryDirectory()
        let text = try await talk(
            "printf 'Once\\n\\n/nope\\n' | '\(try BuiltProgram.apus)' chat --model '\(try model(place))' --max-new-tokens 5 2>'\(place.path)/e'; cat '\(place.path)/e'"
        )
        let lines = text.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.last == #""/nope": there are /clear, /system TEXT, /save FILE and /exit"#)
    }

    @Test func whatIsNoTextIsSaidAndTheConversationGoesOn() async throws {
        let place = try TemporaryDirectory()
        let text = try await talk(
            #"printf '\377\376\nOnce\n' | '\#(try BuiltProgram.apus)' chat --model '\#(try model(place))' --max-new-tokens 5 2>&1"#
        )
        let lines = text.split(separator: "\n")
        #expect(lines.count == 2 && lines.first == "Error: the line is not UTF-8")
    }

    @Test(arguments: ["--batch-size 2", "--no-special-tokens", "--template no/such.jinja", "--num-beams 2", "-n 2"])
    func whatHasNoEffectIsRefused(_ flags: String) async throws {
        let text = try await talk(
            "echo Once | '\(try BuiltProgram.apus)' chat -q \(flags) 2>&1; test $? -ne 0 || echo passed")
        #expect(text.hasPrefix("Error: ") && !text.contains("passed"))
    }

    @Test func aCheckpointWithoutATemplateSaysSo() async throws {
        let demo = fixtures + "/../../Sources/Apus/Demo"
        let text = try await talk("echo Hello | '\(try BuiltProgram.apus)' chat --model '\(demo)' 2>&1; test $? = 1")
        #expect(text == "Error: the checkpoint has no chat template\n")
    }
}
