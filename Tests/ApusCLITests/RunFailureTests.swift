import ApusJSON
import ApusTestSupport
import Foundation
import Testing

/// What goes wrong in runs of many prompts, by the reports of those to whom it has happened, and what becomes of it here.
/// `Scripts/runs.py` does the same at random moments and in larger numbers.
@Suite(.serialized) struct RunFailureTests {
    let directory: TemporaryDirectory
    private var out: String { path("out.jsonl") }

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write(
            "p.jsonl",
            (0..<40).map { #"{"prompt": "a dog \#($0)", "id": \#($0), "max_new_tokens": \#(3 + $0 % 9)}"# }
                .joined(separator: "\n"))
    }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    private func start(
        _ arguments: [String] = [], output: String = "out.jsonl", faults: String? = nil
    ) throws -> CommandRun {
        try CommandRun(
            BuiltProgram.apus,
            ["generate", "--prompts", path("p.jsonl"), "--output", path(output), "--threads", "1"] + arguments,
            environment: faults.map { ["APUS_FAULTS": $0] } ?? [:])
    }

    /// A run that does some prompts and then hangs for longer than any test takes to come to its turn.
    private func startEndless(_ arguments: [String]) throws -> CommandRun {
        try CommandRun(
            BuiltProgram.apus,
            ["generate", "--prompts", path("p.jsonl"), "--output", out, "--threads", "1", "--batch-size", "2"]
                + arguments,
            environment: ["APUS_FAULTS": "hang@5", "APUS_HANG_SECONDS": "600"])
    }

    private func run(
        _ arguments: [String] = [], output: String = "out.jsonl", faults: String? = nil
    ) async throws -> CommandRun.Outcome {
        try await start(arguments, output: output, faults: faults).finish()
    }

    private func reference() async throws -> [UInt8] {
        #expect(try await run(["-q"], output: "reference.jsonl").code == 0)
        return try readFile(path("reference.jsonl"))
    }

    private func records() -> Int {
        let text = (try? readFile(out + ".journal")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").count { $0.dropFirst(17).first == "r" }
    }

    private func awaitRecords(_ count: Int) async throws {
        for _ in 0..<20_000 where records() < count { try await Task.sleep(for: .milliseconds(5)) }
        #expect(records() >= count)
    }

    // MARK: Workers

    @Test func aPromptThatKillsItsWorkerGetsAnErrorAndTheOthersTheirs() async throws {
        let expected = String(decoding: try await reference(), as: UTF8.self).split(separator: "\n")
        let outcome = try await run(["-n", "2"], faults: "die@7")
        #expect(outcome.code == 1, "\(outcome.error)")
        let lines = String(decoding: try readFile(out), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 40)
        for (index, line) in lines.enumerated() where index != 7 { #expect(line == expected[index]) }
        let error = try JSONValue(parsing: lines[7])["error"]?.string
        #expect(error == "its worker was killed by SIGKILL twice while it ran alone")
        #expect(outcome.errorLines.contains { $0.hasPrefix("prompt 7: its worker") })
    }

    @Test(arguments: ["once-die@7", "once-fail@7", "once-exhaust@7", "0:slow=2"])
    func theBytesAreThoseOfAnUndisturbedRun(faults: String) async throws {
        let expected = try await reference()
        let saidOnce = faults.hasPrefix("once") ? 1 : 0
        var said: [String] = []
        // An idle worker may take the prompt over and be through before the first comes to it: then the fault did not happen.
        for attempt in 0..<5 where attempt == 0 || said.count < saidOnce {
            let outcome = try await run(["-n", "3", "--force"], faults: faults)
            #expect(try outcome.code == 0 && readFile(out) == expected, "\(outcome.error)")
            said = outcome.errorLines.filter { $0.hasPrefix("rank ") }
        }
        #expect(said.count == saidOnce, "\(said)")
    }

    @Test func anErrorOfTheDeviceIsNoResult() async throws {
        let outcome = try await run(["-n", "2"], faults: "once-fail@3")
        #expect(outcome.code == 0)
        #expect(outcome.error.contains("gave up (the device failed on purpose)"))
        #expect(!String(decoding: try readFile(out), as: UTF8.self).contains("error"))
    }

    @Test func aWorkerThatHangsIsKilledAndSaidToHaveHung() async throws {
        let expected = try await reference()
        let outcome = try await CommandRun(
            BuiltProgram.apus,
            ["generate", "--prompts", path("p.jsonl"), "--output", out, "--threads", "1", "-n", "1"],
            environment: ["APUS_FAULTS": "once-hang@7", "APUS_HANG_SECONDS": "2"]
        ).finish()
        #expect(try outcome.code == 0 && readFile(out) == expected, "\(outcome.error)")
        #expect(outcome.error.contains(/rank 0 has finished no step for \d+ s, and jobs .* wait for it/))
    }

    // MARK: Resuming

    @Test func killedTwiceAndResumedTwice() async throws {
        let expected = try await reference()
        for count in [3, 9] {
            let run = try startEndless(["--resume", "-q"])
            try await awaitRecords(count)
            kill(run.process.processIdentifier, SIGKILL)
            _ = try await run.finish(within: .seconds(600))
        }
        let before = records()
        let outcome = try await run(["--resume"])
        #expect(try outcome.code == 0 && readFile(out) == expected, "\(outcome.error)")
        #expect(outcome.error.contains("\(before) results were there already"))
        let again = try await run(["--resume"])
        #expect(again.code == 0 && again.error.contains("40 results were there already"))
        #expect(try again.error.contains("num_tokens 0,") && readFile(out) == expected)
    }

    /// What came to stand under the name meanwhile is not this run's to replace.
    @Test func whatIsNotOfThisRunStays() async throws {
        let expected = try await reference()
        let run = try startEndless(["-q"])
        try await awaitRecords(3)
        kill(run.process.processIdentifier, SIGKILL)
        _ = try await run.finish(within: .seconds(600))
        try directory.write("out.jsonl", "somebody's")
        let refused = try await self.run(["--resume", "-q"])
        #expect(refused.code == 2 && refused.error.contains("not of this run"), "\(refused.error)")
        #expect(try readFile(out) == Array("somebody's".utf8))
        #expect(try await self.run(["--resume", "--force", "-q"]).code == 0)
        #expect(try readFile(out) == expected)
    }

    @Test func whatIsNoJournalIsNotEmptied() async throws {
        try directory.write("out.jsonl.journal", "my diary\n")
        for arguments in [[], ["--resume"], ["--force"]] {
            let outcome = try await run(arguments + ["-q"])
            #expect(outcome.code == 2 && outcome.error.contains("no journal of a run"), "\(outcome.error)")
        }
        #expect(try readFile(out + ".journal") == Array("my diary\n".utf8))
    }

    /// One damaged record costs one prompt; without --resume nothing is emptied.
    @Test func aDamagedRecordIsRunAgain() async throws {
        let expected = try await reference()
        #expect(try await run(["-q"]).code == 0)
        var journal = try readFile(out + ".journal")
        let third = journal.indices.filter { journal[$0] == 0x0A }[2]
        journal[third + 30] ^= 1
        try directory.write("out.jsonl.journal", journal)
        try FileManager.default.removeItem(atPath: out)
        #expect(try await run(["-q"]).code == 2)
        #expect(try readFile(out + ".journal") == journal)
        let resumed = try await run(["--resume"])
        #expect(resumed.error.contains("39 results were there already"), "\(resumed.error)")
        #expect(try readFile(out) == expected)
    }

    /// The process that starts workers is one that may be killed too.
    @Test func withoutItsGuardianARunEnds() async throws {
        let run = try startEndless(["-n", "2"])
        try await awaitRecords(1)
        let children = try await CommandRun("/usr/bin/pgrep", ["-P", "\(run.process.processIdentifier)"]).finish()
        kill(try #require(children.lines.first.flatMap { Int32($0) }), SIGKILL)
        let outcome = try await run.finish(within: .seconds(600))
        #expect(outcome.code == 75 && outcome.error.contains("the guardian process"), "\(outcome.error)")
    }

    /// A line that was cut must not swallow what is written behind it.
    @Test func aTornLineIsCutOffAndRunAgain() async throws {
        let expected = try await reference()
        #expect(try await run(["-q"]).code == 0)
        let journal = try readFile(out + ".journal")
        for cut in [1, 60, 500] {
            try FileManager.default.removeItem(atPath: out)
            try directory.write("out.jsonl.journal", Array(journal.dropLast(cut)))
            #expect(try await run(["--resume", "-q"]).code == 0)
            #expect(try readFile(out) == expected)
        }
    }

    @Test func errorsCountAsDoneUntilTheyAreToBeTriedAgain() async throws {
        try directory.write(
            "p.jsonl", #"{"prompt": "a"}"# + "\n" + #"{"prompt_token_ids": [99999999]}"# + "\n" + #"{"prompt": "b"}"#)
        #expect(try await run(["-q"]).code == 1)
        let resumed = try await run(["--resume"])
        #expect(resumed.code == 1 && resumed.error.contains("num_tokens 0,"))
        #expect(!resumed.error.contains("prompt 1:"))
        let bytes = try readFile(out)
        let again = try await run(["--resume", "--retry-errors"])
        #expect(try again.code == 1 && again.error.contains("prompt 1:") && readFile(out) == bytes)
    }

    @Test func whatHasChangedIsNamed() async throws {
        let model = try #require(BuiltProgram.demo)
        try FileManager.default.createDirectory(atPath: path("m"), withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: model) {
            try directory.write("m/" + name, try readFile(model + "/" + name))
        }
        let chosen = ["--model", path("m"), "--resume"]
        #expect(try await run(["-q", "--model", path("m")]).code == 0)
        let journal = try readFile(out + ".journal")
        for (arguments, words) in [
            (["--max-new-tokens", "3"], "max_new_tokens was not set, and now is 3"), (["--dtype", "float32"], "dtype"),
            (["--seed", "4"], "seed"), (["--no-special-tokens"], "no_special_tokens"),
        ] {
            let outcome = try await run(chosen + arguments)
            #expect(outcome.code == 2 && outcome.error.contains(words), "\(outcome.error)")
        }
        // Neither of these can change a byte.
        #expect(try await run(chosen + ["-n", "3", "--batch-size", "5", "-q"]).code == 0)
        try FileManager.default.moveItem(atPath: path("m"), toPath: path("moved"))
        #expect(try await run(["--model", path("moved"), "--resume", "-q"]).code == 0)
        try FileManager.default.moveItem(atPath: path("moved"), toPath: path("m"))
        var weights = try readFile(path("m/model.safetensors"))
        weights[weights.count / 2] ^= 1
        try directory.write("m/model.safetensors", weights)
        let other = try await run(chosen)
        #expect(other.code == 2 && other.error.contains("another model: model.safetensors is another"))
        try directory.write("m/model.safetensors", readFile(model + "/model.safetensors"))
        try directory.write("p.jsonl", Array(readFile(path("p.jsonl"))) + Array("\n{\"prompt\": \"more\"}".utf8))
        let input = try await run(chosen)
        #expect(input.code == 2 && input.error.contains("p.jsonl: is another"), "\(input.error)")
        #expect(try Array(readFile(out + ".journal").prefix(journal.count)) == journal)
    }

    /// Of a stream nothing is known but its lines, as they come.
    @Test func aStreamsLinesAreComparedAsTheyAreRead() async throws {
        func generate(_ lines: String) async throws -> CommandRun.Outcome {
            try await CommandRun(
                "/bin/sh",
                [
                    "-c",
                    "printf '\(lines)' | \(BuiltProgram.apus) generate --prompts - --output \(out) --resume --max-new-tokens 3",
                ]
            ).finish()
        }
        #expect(try await generate("a dog\\na cat\\n").code == 0)
        #expect(try await generate("a dog\\na cat\\n").error.contains("num_tokens 0,"))
        let changed = try await generate("a dog\\na cow\\n")
        #expect(changed.code == 2 && changed.error.contains("standard input, line 2: is not what it was"))
        let shorter = try await generate("a dog\\n")
        #expect(shorter.code == 2 && shorter.error.contains("has no prompt 1 any more"))
    }

    // MARK: Signals, disks, twins

    @Test(arguments: [SIGTERM, SIGHUP]) func aRunThatIsToEndEndsWithinASecond(signal: Int32) async throws {
        let expected = try await reference()
        let run = try startEndless(["-n", "2"])
        try await awaitRecords(3)
        let begin = run.age
        kill(run.process.processIdentifier, signal)
        let outcome = try await run.finish(within: .seconds(600))
        #expect(outcome.duration - begin < .seconds(1.5))
        #expect(outcome.code == 75 && outcome.error.contains("--resume goes on from there"), "\(outcome.error)")
        #expect(try await self.run(["--resume", "-q"]).code == 0)
        #expect(try readFile(out) == expected)
    }

    @Test func interruptedARunFinishesWhatIsInFlight() async throws {
        // The shell waits, so that the moment does not depend on this test's turn.
        let script = """
            set -m
            APUS_FAULTS=slow=60 \(try BuiltProgram.apus) generate --prompts \(path("p.jsonl")) --output \(out) \\
                --threads 1 --batch-size 2 &
            until [ "$(grep -c '^[0-9a-f]* r ' \(out).journal 2>/dev/null)" -ge 3 ] 2>/dev/null; do sleep 0.02; done
            kill -INT $!
            wait $!
            """
        let outcome = try await CommandRun("/bin/bash", ["-c", script]).finish(within: .seconds(600))
        #expect(outcome.code == 75 && outcome.error.contains("finishing the prompts in flight"), "\(outcome.error)")
        #expect(records() < 40)
    }

    @Test func aFullDiskIsOneLineAndNothingIsLost() async throws {
        let expected = try await reference()
        // A limit on the size of files stands for a disk: writing beyond it is a signal unless that is ignored.
        let shell = try await CommandRun(
            "/bin/bash",
            [
                "-c",
                "ulimit -f 8; exec \(BuiltProgram.apus) generate --prompts \(path("p.jsonl")) --output \(out) -q -n 2",
            ]
        ).finish()
        #expect(shell.code == 75 && shell.errorLines.count == 1, "\(shell.code): \(shell.error)")
        #expect(shell.error.contains("cannot be written: File too large"))
        #expect(try await run(["--resume", "-q"]).code == 0)
        #expect(try readFile(out) == expected)
    }

    @Test func aSecondRunOnOneOutputEndsAtOnce() async throws {
        let first = try startEndless(["-q"])
        try await awaitRecords(1)
        // Locks have no age.
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 0)], ofItemAtPath: out + ".journal")
        for arguments in [["--resume"], ["--force"], []] {
            let second = try await run(arguments + ["-q"])
            #expect(
                second.code == 75 && second.errorLines.count == 1 && second.error.contains("another run is writing it"))
        }
        kill(first.process.processIdentifier, SIGKILL)
        _ = try await first.finish(within: .seconds(600))
    }

    // MARK: Streams and shards

    /// The first result comes long before the last prompt.
    @Test func promptsAreReadAsTheyAreNeeded() async throws {
        let pipe = path("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        let run = try CommandRun(
            BuiltProgram.apus, ["generate", "--prompts", pipe, "--max-new-tokens", "2", "-q"])
        let writer = try #require(FileHandle(forWritingAtPath: pipe))
        try writer.write(contentsOf: Data("a dog\n".utf8))
        while try run.text("out").isEmpty, run.process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try run.text("out").split(separator: "\n").count == 1)
        try writer.write(contentsOf: Data("a cat\n".utf8))
        try writer.close()
        let outcome = try await run.finish(within: .seconds(600))
        #expect(outcome.code == 0 && outcome.lines.count == 2)
    }

    @Test func unorderedResultsAreTheSameLines() async throws {
        let expected = String(decoding: try await reference(), as: UTF8.self).split(separator: "\n")
        #expect(try await run(["-q", "--unordered", "-n", "2"]).code == 0)
        #expect(String(decoding: try readFile(out), as: UTF8.self).split(separator: "\n").sorted() == expected.sorted())
    }

    @Test func partsThatAreNotWholeAreNamed() async throws {
        let expected = try await reference()
        for shard in 0..<4 where shard != 2 {
            #expect(try await run(["-q", "--shard", "\(shard)/4"], output: "parts").code == 0)
        }
        func merge() async throws -> CommandRun.Outcome {
            try await CommandRun(BuiltProgram.apus, ["merge", path("parts"), "--output", path("merged")]).finish()
        }
        let part = path("parts/part-00000-of-00004.jsonl")
        let whole = try readFile(part)
        for (bytes, missing) in [
            (whole, "2"), (Array(whole.dropLast()), "0,2"), (Array(whole.dropLast(100)), "0,2"), (whole + whole, "0,2"),
            (Array(whole.reversed()), "0,2"),
        ] {
            try directory.write("parts/part-00000-of-00004.jsonl", bytes)
            let outcome = try await merge()
            #expect(outcome.code == 75 && outcome.error.contains("--array=\(missing))"), "\(outcome.error)")
            #expect(!FileManager.default.fileExists(atPath: path("merged")))
        }
        #expect(try await run(["-q", "--shard", "0/4"], output: "parts").code == 0)
        #expect(try await run(["-q", "--shard", "2/4"], output: "parts").code == 0)
        #expect(try await merge().code == 0)
        #expect(try readFile(path("merged")) == expected)
    }

    /// Launchers that know nothing of Apus would have each copy run every prompt.
    @Test(arguments: ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS", "WORLD_SIZE"])
    func copiesThatWouldEachDoAllAreRefused(variable: String) async throws {
        let outcome = try await CommandRun(
            BuiltProgram.apus, ["generate", "a dog", "-q"], environment: [variable: "2"]
        ).finish()
        #expect(outcome.code == 64 && outcome.errorLines.count == 1 && outcome.output.isEmpty, "\(outcome.error)")
        #expect(outcome.error.contains("2 copies") && outcome.error.contains(variable))
    }
}
