import ApusJSON
import ApusTestSupport
import Foundation
import Testing

/// What `--output` does to what stands there.
@Suite struct GenerateOutputTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func generate(_ arguments: [String], input: String? = nil) async throws -> CommandRun.Outcome {
        try await CommandRun(
            BuiltProgram.apus, ["generate", "--max-new-tokens", "2", "-q"] + arguments, input: input
        ).finish()
    }

    private func text(_ name: String) throws -> String { String(decoding: try readFile(path(name)), as: UTF8.self) }
    private func path(_ name: String) -> String { directory.path + "/" + name }

    @Test func whatIsThereIsKeptUnlessForced() async throws {
        try directory.write("out.jsonl", "an hour of results\n")
        for arguments in [["a dog"], ["a dog", "--model", "/nowhere", "--force"]] {
            let outcome = try await generate(arguments + ["--output", path("out.jsonl")])
            #expect(outcome.code == 2 && outcome.errorLines.count == 1)
            #expect(try text("out.jsonl") == "an hour of results\n")
        }
        #expect(try directory.names == ["out.jsonl"])
        let outcome = try await generate(["a dog", "--output", path("out.jsonl"), "--force"])
        #expect(outcome.code == 0)
        #expect(try text("out.jsonl").contains(#""prompt":"a dog""#))
        #expect(try directory.names == ["out.jsonl", "out.jsonl.journal"])
    }

    @Test func anEmptyFileIsNoLoss() async throws {
        try directory.write("out.jsonl", "")
        #expect(try await generate(["a dog", "--output", path("out.jsonl")]).code == 0)
        #expect(try text("out.jsonl").contains("a dog"))
    }

    @Test func inputsAreNeverWrittenTo() async throws {
        let model = try #require(BuiltProgram.demo)
        let prompts = try directory.write("p.txt", "the cat\nthe dog\n")
        try FileManager.default.createDirectory(atPath: path("m"), withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: model) {
            try directory.write("m/" + name, try readFile(model + "/" + name))
        }
        let config = try text("m/config.json")
        try FileManager.default.linkItem(atPath: prompts, toPath: path("hard.txt"))
        try FileManager.default.createSymbolicLink(atPath: path("soft.txt"), withDestinationPath: "p.txt")
        for output in ["p.txt", "hard.txt", "soft.txt", "m/config.json", "m/model.safetensors"] {
            let outcome = try await generate(
                ["--prompts", prompts, "--model", path("m"), "--output", path(output), "--force"])
            #expect(outcome.code == 2 && outcome.errorLines.count == 1, "\(outcome.error)")
            #expect(outcome.error.contains("which is read"))
        }
        #expect(try text("p.txt") == "the cat\nthe dog\n" && text("m/config.json") == config)
        #expect(try !directory.names.contains { $0.hasSuffix(".partial") })
    }

    @Test func resultsOfARunThatFailedStayBesideTheName() async throws {
        let lines = (0..<3000).map { #"{"prompt": "a dog", "id": \#($0)}"# }.joined(separator: "\n")
        let prompts = try directory.write("p.jsonl", lines)
        let run = try CommandRun(
            BuiltProgram.apus,
            ["generate", "--prompts", prompts, "--output", path("out.jsonl"), "--batch-size", "1", "-q"])
        while (try? readFile(path("out.jsonl.partial")).count) ?? 0 < 100 {
            try await Task.sleep(for: .milliseconds(2))
        }
        let second = try await generate(["a dog", "--output", path("out.jsonl"), "--force"])
        #expect(second.code == 75 && second.error.contains("another run is writing it"))
        run.process.terminate()
        _ = try await run.finish()
        #expect(!FileManager.default.fileExists(atPath: path("out.jsonl")))
        let kept = try text("out.jsonl.partial").split(separator: "\n")
        for (index, line) in kept.enumerated() { #expect(try JSONValue(parsing: line)["index"]?.integer == index) }
        let journal = try text("out.jsonl.journal")
        for more in [[], ["--force"]] {
            let refused = try await generate(["a dog", "--output", path("out.jsonl")] + more)
            #expect(refused.code == 2 && refused.error.contains("results of a run that did not end"))
        }
        #expect(try text("out.jsonl.journal") == journal)
        try FileManager.default.removeItem(atPath: path("out.jsonl.journal"))
        let careful = try await generate(["a dog", "--output", path("out.jsonl"), "--resume"])
        #expect(careful.code == 2 && careful.error.contains("results of a run that did not end"))
        #expect(try await generate(["a dog", "--output", path("out.jsonl"), "--force"]).code == 0)
        #expect(try text("out.jsonl").split(separator: "\n").count == 1)
    }

    @Test func linksLeadToTheirFiles() async throws {
        try directory.write("real.jsonl", "")
        try FileManager.default.createSymbolicLink(atPath: path("link.jsonl"), withDestinationPath: "real.jsonl")
        try FileManager.default.createSymbolicLink(atPath: path("new.jsonl"), withDestinationPath: "fresh.jsonl")
        try FileManager.default.createSymbolicLink(atPath: path("circle"), withDestinationPath: "circle")
        #expect(try await generate(["a dog", "--output", path("link.jsonl")]).code == 0)
        #expect(try await generate(["a dog", "--output", path("new.jsonl")]).code == 0)
        #expect(try text("real.jsonl").contains("a dog") && text("fresh.jsonl").contains("a dog"))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path("link.jsonl")) == "real.jsonl")
        let circle = try await generate(["a dog", "--output", path("circle")])
        #expect(circle.code == 2 && circle.error.contains("too many links"))
    }

    /// A redirected output is appended to by whoever appends to it.
    @Test func descriptorsKeepWhatWasWrittenToThem() async throws {
        let program = try BuiltProgram.apus
        try directory.write("log.jsonl", "earlier lines\n")
        try directory.write("p.txt", "a dog\n")
        let same = try await CommandRun(
            "/bin/sh",
            [
                "-c",
                "\(program) generate -q --prompts \(path("p.txt")) --output /dev/stdout >> \(path("p.txt"))",
            ]
        ).finish()
        #expect(same.code == 2 && same.error.contains("which is read"))
        for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            let shell = try await CommandRun(
                "/bin/sh",
                ["-c", "\(program) generate -q --max-new-tokens 1 --output \(name) hi >> \(path("log.jsonl"))"]
            ).finish()
            #expect(shell.code == 0, "\(shell.error)")
        }
        let lines = try text("log.jsonl").split(separator: "\n")
        #expect(lines.count == 4 && lines[0] == "earlier lines")
    }

    @Test func aPipeIsWrittenAsResultsCome() async throws {
        #expect(mkfifo(path("pipe"), 0o600) == 0)
        let reader = try CommandRun("/bin/cat", [path("pipe")])
        #expect(try await generate(["a dog", "--output", path("pipe")]).code == 0)
        #expect(try await reader.finish().output.contains("a dog"))
        #expect(try directory.names == ["pipe"])
    }

    /// What stands where results would be kept meanwhile is nobody's but an earlier run's.
    @Test func thePartialFileIsNoWayToAnother() async throws {
        try directory.write("precious", "precious")
        let prompts = try directory.write("q.jsonl.partial", #"{"prompt": "a dog"}"#)
        try FileManager.default.createSymbolicLink(atPath: path("soft.partial"), withDestinationPath: "precious")
        try FileManager.default.createSymbolicLink(atPath: path("nowhere.partial"), withDestinationPath: "absent")
        try FileManager.default.linkItem(atPath: path("precious"), toPath: path("hard.partial"))
        #expect(mkfifo(path("pipe.partial"), 0o600) == 0)
        let before = try directory.names
        for name in ["soft", "nowhere", "hard", "pipe"] {
            let outcome = try await generate(["a dog", "--force", "--output", path(name)])
            #expect(outcome.code == 2 && outcome.errorLines.count == 1, "\(outcome.error)")
        }
        let read = try await generate(["--prompts", prompts, "--force", "--output", path("q.jsonl")])
        #expect(read.code == 2 && read.error.contains("which is read"))
        #expect(try text("precious") == "precious" && text("q.jsonl.partial").contains("a dog"))
        #expect(try directory.names == before)
    }

    @Test func aDashIsStandardOutputAndNothingIsNoName() async throws {
        #expect(try await generate(["a dog", "--output", "-"]).output.contains("a dog"))
        let outcome = try await generate(["a dog", "--output", ""])
        #expect(outcome.code == 2 && outcome.error.contains("needs the name of a file"))
    }
}
