import ApusJSON
import ApusTestSupport
import Testing

@Suite struct QuantizeCommandTests {
    private static let demo = fixtures + "/../../Sources/Apus/Demo"

    private func apus(_ arguments: [String]) async throws -> CommandRun.Outcome {
        try await CommandRun(BuiltProgram.apus, arguments).finish()
    }

    private func withoutRank(_ outcome: CommandRun.Outcome) throws -> [JSONObject] {
        try outcome.lines.map { line in
            JSONObject(try JSONValue(parsing: line).object?.members.filter { $0.key != "rank" } ?? [])
        }
    }

    @Test(arguments: ["int8", "int4"])
    func givesTheResultsOfQuantizingAtLoad(_ format: String) async throws {
        let directory = try TemporaryDirectory()
        let target = directory.path + "/demo"
        let made = try await apus(
            ["quantize", "--model", Self.demo, "--output", target, "--format", format]
                + (format == "int4" ? ["--calibration", "none"] : []))
        #expect(made.code == 0 && made.output.isEmpty && made.errorLines.count == 1, "\(made.error)")
        #expect(try directory.names == ["demo"])
        for name in ["tokenizer.json", "generation_config.json"] {
            #expect(try readFile(target + "/" + name) == readFile(Self.demo + "/" + name))
        }
        let common = [
            "generate", "a dog", "a cat", "The old king", "Hello", "-q", "--logprobs", "--max-new-tokens", "40",
        ]
        let expected = try withoutRank(
            try await apus(common + ["--quantize", format, "--threads", "1", "--batch-size", "1"]))
        #expect(expected.count == 4)
        #expect(try withoutRank(try await apus(common)) != expected)
        for (processes, threads, batch) in [("1", "2", "16"), ("2", "1", "3"), ("2", "2", "1")] {
            let outcome = try await apus(
                common + ["--model", target, "-n", processes, "--threads", threads, "--batch-size", batch])
            #expect(try withoutRank(outcome) == expected, "\(processes) processes: \(outcome.error)")
        }
        let same = try await apus(common + ["--model", target, "--quantize", format])
        #expect(try withoutRank(same) == expected)
        let other = format == "int8" ? "int4" : "int8"
        let refused = try await apus(common + ["--model", target, "--quantize", other])
        #expect(refused.code == 1 && refused.errorLines.count == 1)
        #expect(refused.error.contains("\(format) already and cannot become \(other)"))
    }

    /// By what the model writes itself, or a text says: the same with any number of threads, and better than to the nearest.
    @Test(arguments: [[], ["--calibration", fixtures + "/Demo/heldout.txt"]])
    func isRoundedByWhatItReads(_ calibration: [String]) async throws {
        let directory = try TemporaryDirectory()
        let runs = [
            ("one", ["--threads", "1"] + calibration), ("two", calibration), ("nearest", ["--calibration", "none"]),
        ]
        var files: [[UInt8]] = []
        for (name, options) in runs {
            let target = directory.path + "/" + name
            let made = try await apus(
                ["quantize", "--model", Self.demo, "--output", target, "--format", "int4"] + options)
            #expect(made.code == 0 && made.errorLines.count == 1, "\(made.error)")
            files.append(try readFile(target + "/model.safetensors"))
        }
        #expect(files[0] == files[1] && files[0] != files[2] && files[0].count == files[2].count)

        let stories = String(decoding: try readFile(fixtures + "/Demo/heldout.txt"), as: UTF8.self)
        let prompts = stories.split(separator: "\n").prefix(20).map {
            JSONValue.object(["prompt": .string(String($0))])
        }
        let file = try directory.write("stories.jsonl", prompts.map(\.serialized).joined(separator: "\n"))
        func logprobs(_ model: String) async throws -> Double {
            let outcome = try await apus(
                ["generate", "--model", model, "--prompts", file, "--prompt-logprobs", "--max-new-tokens", "0", "-q"])
            let values = try outcome.lines.flatMap { line in
                try JSONValue(parsing: line)["prompt_logprobs"]?.array?.compactMap(\.double) ?? []
            }
            #expect(values.count > 1000)
            return values.reduce(0, +) / Double(values.count)
        }
        let exact = try await logprobs(Self.demo)
        let read = try await logprobs(directory.path + "/two") - exact
        let nearest = try await logprobs(directory.path + "/nearest") - exact
        #expect(abs(read) < abs(nearest), "\(read) off, to the nearest \(nearest)")
    }

    @Test func anExistingDirectoryStaysUnlessForced() async throws {
        let directory = try TemporaryDirectory()
        let target = directory.path + "/demo"
        func quantize(_ options: [String], from model: String = Self.demo) async throws -> CommandRun.Outcome {
            try await apus(["quantize", "--model", model, "--output", target] + options)
        }
        #expect(try await quantize(["--format", "int8"]).code == 0)
        let first = try readFile(target + "/model.safetensors")
        for (model, options) in [(Self.demo, []), (target, ["--force"])] {
            let refused = try await quantize(["--format", "int4"] + options, from: model)
            #expect(refused.code == 1 && refused.errorLines.count == 1, "\(refused.error)")
            #expect(refused.error.contains(target))
            #expect(try readFile(target + "/model.safetensors") == first)
        }
        #expect(try await quantize(["--format", "int4", "--force"]).code == 0)
        #expect(try readFile(target + "/model.safetensors") != first)
        #expect(try directory.names == ["demo"])
    }

    @Test func replacesNeitherItsSourceNorWhatIsNoCheckpoint() async throws {
        let directory = try TemporaryDirectory()
        for name in ["config.json", "model.safetensors"] {
            _ = try directory.write(name, readFile(Self.demo + "/" + name))
        }
        let own = try await apus([
            "quantize", "--model", directory.path, "--output", directory.path + "/", "--format", "int8", "--force",
        ])
        #expect(own.code == 1 && own.error.contains("holds the checkpoint that is read"))
        #expect(try directory.names == ["config.json", "model.safetensors"])
        let other = try TemporaryDirectory()
        _ = try other.write("letters.txt", "dear")
        let refused = try await apus([
            "quantize", "--model", Self.demo, "--output", other.path, "--format", "int8", "--force",
        ])
        #expect(refused.code == 1 && refused.error.contains("no checkpoint"))
        #expect(try other.names == ["letters.txt"])
    }

    @Test func aFullDiskLeavesNothing() async throws {
        let directory = try TemporaryDirectory()
        // A limit on the size of files stands for the disk: 64 blocks of 512 or 1024 bytes.
        let script = #"trap '' XFSZ; ulimit -f 64; exec "$@""#
        let outcome = try await CommandRun(
            "/bin/sh",
            [
                "-c", script, "sh", BuiltProgram.apus, "quantize", "--model", Self.demo, "--output",
                directory.path + "/demo", "--format", "int8",
            ]
        ).finish()
        #expect(outcome.code == 1 && outcome.errorLines.count == 1, "\(outcome.error)")
        #expect(outcome.error.contains("cannot be written"))
        #expect(try directory.names.isEmpty)
    }

    @Test(arguments: [
        (["--model", "/nowhere", "--format", "int8"], Int32(1), "/nowhere"),
        (["--model", demo, "--format", "int3"], 64, "int3"), (["--model", demo], 64, "--format"),
        (["--model", demo, "--format", "int8", "--max-shard-size", "5XB"], 64, "5XB"),
        (["--model", demo, "--format", "int8", "--threads", "0"], 64, "--threads"),
        (["--model", demo, "--format", "int8", "--calibration", "self"], 64, "--calibration is of int4"),
        (["--model", demo, "--format", "int4", "--calibration", "/nowhere.txt"], 1, "/nowhere.txt"),
        (["--model", demo, "--format", "int4", "--calibration", ""], 64, "--calibration"),
        (["--model", demo, "--format", "int4", "--calibration", "/dev/null"], 1, "too few tokens"),
    ])
    func saysWhatIsWrong(_ arguments: [String], _ code: Int32, _ named: String) async throws {
        let directory = try TemporaryDirectory()
        let outcome = try await apus(["quantize", "--output", directory.path + "/out"] + arguments)
        #expect(outcome.code == code)
        #expect(outcome.error.contains(named), "\(outcome.error)")
        #expect(try directory.names.isEmpty)
    }

    @Test func anUnwritablePlaceIsNamed() async throws {
        let outcome = try await apus(["quantize", "--model", Self.demo, "--output", "/nowhere/x", "--format", "int8"])
        #expect(outcome.code == 1 && outcome.errorLines.count == 1)
        #expect(outcome.error.contains("/nowhere/"))
    }

    /// What a file says of itself, and how products read what it holds.
    @Test func aFileOfCodesIsDescribed() async throws {
        let place = try TemporaryDirectory()
        let file = try place.write("small.gguf", GGUFBuilder.smallLlama(isRounded: true).bytes)
        let details = try JSONValue(
            parsing: await CommandRun(BuiltProgram.apus, ["models", file, "--json"]).finish().output)
        #expect(details["family"]?.string == "llama" && details["fits"]?.bool == true)
        #expect((details["layers"]?.integer ?? 0) > 0 && (details["context_length"]?.integer ?? 0) > 0)
        let paths = (details["tensors"]?.array ?? []).map { ($0["format"]?.string, $0["path"]?.string) }
        #expect(paths.contains { $0 == ("Q8_0", "integers") } && paths.contains { $0 == ("float32", "floats") })
        _ = try place.write("wrong.gguf", Array("GGUF".utf8) + [9, 9, 9])
        let wrong = try await CommandRun(BuiltProgram.apus, ["models", place.path + "/wrong.gguf", "--json"]).finish()
        #expect(wrong.code == 0)
        #expect(try JSONValue(parsing: wrong.output)["remark"]?.string?.isEmpty == false, "\(wrong.output)")
    }
}
