import ApusJSON
import ApusTestSupport
import Foundation
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite(.serialized) struct BenchCommandTests {
    private static let small = ["--rounds", "1", "--prompts", "6", "--new-tokens", "5", "--prefill", "16"]

    private static let configuration = """
        {"architectures": ["LlamaForCausalLM"], "vocab_size": 300, "hidden_size": 64, "intermediate_size": 96,
         "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256,
         "attention_bias": true, "dtype": "%@"}
        """

    private func bench(_ arguments: [String], environment: [String: String] = [:]) async throws -> CommandRun.Outcome {
        try await CommandRun(BuiltProgram.apus, ["bench"] + arguments, environment: environment).finish(
            within: .seconds(240))
    }

    private func report(_ path: String) throws -> JSONValue {
        try JSONValue(parsing: String(contentsOfFile: path, encoding: .utf8))
    }

    private func isXML(_ path: String) throws -> Bool {
        XMLParser(data: try Data(contentsOf: URL(fileURLWithPath: path))).parse()
    }

    @Test func runsEveryCombinationInFull() async throws {
        let directory = try TemporaryDirectory()
        let (json, svg) = (directory.path + "/bench.json", directory.path + "/bench.svg")
        let outcome = try await bench(
            Self.small + [
                "-n", "1,2", "--threads", "1", "--batch-size", "1,4", "--dtype", "bfloat16", "--json", json, "--svg",
                svg,
            ])
        #expect(outcome.code == 0, "\(outcome.error)")
        let report = try report(json)
        let runs = try #require(report["runs"]?.array)
        #expect(runs.map { $0["processes"]?.integer } == [1, 1, 2, 2])
        #expect(runs.map { $0["batch_size"]?.integer } == [1, 4, 1, 4])
        // A process has no more in flight than its share of the prompts.
        #expect(runs.map { $0["in_flight"]?.integer } == [1, 4, 1, 3])
        for run in runs {
            let round = try #require(run["rounds"]?.array?.first)
            // Every prompt to its full length, end tokens or not, and no padding counted.
            #expect(round["tokens"] == 30)
            let rate = try #require(run["tokens_per_second"]?.double)
            let seconds = try #require(round["seconds"]?.double)
            #expect(abs(rate * seconds - 30) < 0.01)
            let limit = try #require(run["limit_tokens_per_second"]?.double)
            #expect(abs(try #require(run["share_of_limit"]?.double) - rate / limit) < 1e-3)
            let bytes = try #require(run["weight_bytes_per_step"]?.double)
            #expect(bytes / 2 == report["model"]?["parameters_in_products"]?.double)
            let reading = bytes / (run["read_bytes_per_second"]?.double ?? 0)
            let batch = Double(run["in_flight"]?.integer ?? 0)
            let computing = batch * bytes / (run["peak_operations_per_second"]?.double ?? 0)
            #expect(abs(limit * max(reading, computing) / batch - 1) < 1e-3)
            for key in ["load_seconds", "first_token_seconds", "prefill_tokens_per_second", "memory_bytes"] {
                #expect(run[key]?.double ?? 0 > 0, "\(key)")
            }
            #expect(run["decode_step_seconds"]?["median"]?.double ?? 0 > 0)
        }
        let model = try #require(report["machine"]?["instruction_set"]?.string)
        #expect(outcome.output.contains(model))
        // Heads, a rule, and a row for each.
        #expect(outcome.lines.count == 8)
        #expect(try isXML(svg))
        let plot = try String(contentsOfFile: svg, encoding: .utf8)
        for title in ["Scaling over processes", "Share of the limit", "Throughput"] { #expect(plot.contains(title)) }
    }

    @Test(arguments: ["bfloat16", "float16", "float32"])
    func makesUpWeightsAndLeavesNothing(_ dtype: String) async throws {
        let directory = try TemporaryDirectory()
        let config = try directory.write("config.json", Self.configuration.replacing("%@", with: dtype))
        let scratch = try TemporaryDirectory()
        let json = directory.path + "/bench.json"
        let outcome = try await bench(
            Self.small + ["--synthetic", config, "--batch-size", "2", "--threads", "1", "-n", "2", "--json", json],
            environment: ["TMPDIR": scratch.path])
        #expect(outcome.code == 0, "\(outcome.error)")
        let report = try report(json)
        #expect(report["runs"]?.array?.first?["dtype"]?.string == dtype)
        // Query, key, value and output; gate, up and down; and the head.
        let parameters = 2 * (64 * 64 + 2 * 64 * 32 + 64 * 64 + 3 * 64 * 96) + 300 * 64
        #expect(report["model"]?["parameters_in_products"]?.double == Double(parameters))
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
    }

    @Test func measuresContexts() async throws {
        let directory = try TemporaryDirectory()
        let config = try directory.write("config.json", Self.configuration.replacing("%@", with: "float32"))
        let (json, svg) = (directory.path + "/bench.json", directory.path + "/bench.svg")
        let outcome = try await bench([
            "--synthetic", config, "--contexts", "16,64,3000", "--rounds", "1", "--new-tokens", "4", "--threads", "1",
            "--batch-size", "1,2", "--waves", "2", "--prefill", "8,40",
            "--json", json, "--svg", svg,
        ])
        #expect(outcome.code == 0, "\(outcome.error)")
        let contexts = try #require(report(json)["contexts"]?.array)
        #expect(contexts.map { $0["context"]?.integer } == [16, 64, 3000])
        for context in contexts {
            #expect(context["decode_tokens_per_second"]?.double ?? 0 > 0, "\(context.serialized)")
            #expect(context["prefill_tokens_per_second"]?.double ?? 0 > 0)
        }
        // Batches beside them, each with as many prompts as asked for.
        let runs = try #require(report(json)["runs"]?.array)
        #expect(runs.map { $0["prompts"]?.integer } == [2, 4])
        for run in runs {
            let prefills = try #require(run["prefills"]?.array)
            #expect(prefills.map { $0["tokens"]?.integer } == [8, 40])
            for prefill in prefills {
                let seconds = try #require(prefill["first_token_seconds"]?.double)
                let rate = try #require(prefill["tokens_per_second"]?.double)
                #expect(abs(rate * seconds / Double(prefill["tokens"]?.integer ?? 0) - 1) < 1e-3)
            }
        }
        // Longer contexts have more keys and values to read.
        let limits = contexts.compactMap { $0["limit_tokens_per_second"]?.double }
        #expect(limits.count == 3 && limits[0] > limits[2])
        #expect(try isXML(svg))
        let plot = try String(contentsOfFile: svg, encoding: .utf8)
        for title in ["Decode against context", "Prefill against length", "Throughput"] {
            #expect(plot.contains(title))
        }
    }

    @Test func roundsWeights() async throws {
        let directory = try TemporaryDirectory()
        let config = try directory.write("config.json", Self.configuration.replacing("%@", with: "bfloat16"))
        let json = directory.path + "/bench.json"
        let common = ["--synthetic", config, "--threads", "1", "--json", json, "--quantize"]
        let outcome = try await bench(Self.small + ["--batch-size", "2"] + common + ["none,int8,int4"])
        #expect(outcome.code == 0, "\(outcome.error)")
        let runs = try #require(report(json)["runs"]?.array)
        #expect(runs.map { $0["quantize"]?.string } == [nil, "int8", "int4"])
        #expect(runs.map { $0["rounds"]?.array?.first?["tokens"] } == [30, 30, 30])
        // Outputs and inputs of the layers' products, twice; the head has at least 8 bits.
        let layer = [(128, 64), (64, 64), (192, 64), (64, 96)]
        let int8 = 2 * layer.reduce(0) { $0 + $1.0 * ($1.1 + 4) }
        let int4 = 2 * layer.reduce(0) { $0 + $1.0 * ($1.1 / 2 + $1.1 / 32 + 4) }
        let bytes = runs.map { $0["weight_bytes_per_step"]?.double }
        #expect(bytes.suffix(2) == [Double(int8 + 300 * 68), Double(int4 + 300 * 68)])

        let kernels = try await bench(["--kernels", "--rows", "3", "--rounds", "1"] + common + ["int4"])
        #expect(kernels.code == 0, "\(kernels.error)")
        let formats = try #require(report(json)["kernels"]?.array).map { $0["format"]?.string }
        #expect(formats == [String?](repeating: "int4", count: 5))
    }

    @Test func knowsWhatACheckpointHas() async throws {
        let directory = try TemporaryDirectory()
        let (demo, target) = (fixtures + "/../../Sources/Apus/Demo", directory.path + "/demo")
        let made = try await CommandRun(
            BuiltProgram.apus, ["quantize", "--model", demo, "--output", target, "--format", "int4", "-q"]
        ).finish()
        #expect(made.code == 0 && made.error.isEmpty, "\(made.error)")
        let json = directory.path + "/bench.json"
        var bytes: [Double?] = []
        for model in [["--model", target], ["--model", demo, "--quantize", "int4"], ["--model", demo]] {
            let outcome = try await bench(
                Self.small + model + ["--batch-size", "2", "--threads", "1", "--json", json])
            #expect(outcome.code == 0, "\(outcome.error)")
            let run = try report(json)["runs"]?.array?.first
            bytes.append(run?["weight_bytes_per_step"]?.double)
            #expect(run?["format"]?.string == (bytes.count < 3 ? "int4" : "bfloat16"))
        }
        #expect(bytes[0] != nil && bytes[0] == bytes[1])
        #expect(bytes[0] != bytes[2])
    }

    @Test func measuresKernels() async throws {
        let directory = try TemporaryDirectory()
        let config = try directory.write("config.json", Self.configuration.replacing("%@", with: "bfloat16"))
        let json = directory.path + "/bench.json"
        let outcome = try await bench([
            "--synthetic", config, "--kernels", "--rows", "1,4,128", "--rounds", "1", "--threads", "1", "--json", json,
        ])
        #expect(outcome.code == 0, "\(outcome.error)")
        let kernels = try #require(report(json)["kernels"]?.array)
        #expect(kernels.count == 5 * 3)
        #expect(Array(kernels.prefix(3)).map { $0["rows"]?.integer } == [1, 4, 128])
        let head = try #require(kernels.last)
        #expect(head["product"] == "head" && head["outputs"] == 300 && head["inputs"] == 64)
        let seconds = try #require(head["seconds"]?.double)
        let operations = try #require(head["operations_per_second"]?.double)
        #expect(abs(operations * seconds / (2 * 128 * 300 * 64) - 1) < 1e-3)
    }

    /// A loop that the compiler left out would be faster than any machine; one that fell asleep slower than any.
    @Test(arguments: ["scalar", "portable"])
    func limitsArePossible(_ instructionSet: String) async throws {
        let directory = try TemporaryDirectory()
        let config = try directory.write("config.json", Self.configuration.replacing("%@", with: "float32"))
        let json = directory.path + "/bench.json"
        let outcome = try await bench(
            Self.small + ["--synthetic", config, "--batch-size", "1", "--threads", "1", "--json", json],
            environment: ["APUS_ISA": instructionSet])
        #expect(outcome.code == 0, "\(outcome.error)")
        let run = try #require(report(json)["runs"]?.array?.first)
        let bandwidth = try #require(run["read_bytes_per_second"]?.double)
        #expect(bandwidth > 1e8 && bandwidth < 1e12)
        let peak = try #require(run["peak_operations_per_second"]?.double)
        #expect(peak > 1e8 && peak < 1e12)
        #expect(try report(json)["machine"]?["instruction_set"]?.string == instructionSet)
    }

    @Test(arguments: [
        ["--batch-size", "1,,2"], ["-n", "0"], ["--threads", "-1"], ["--dtype", "bfloat16,float8"], ["--prompts", "0"],
        ["--model", "a", "--synthetic", "b"], ["--kernels", "--contexts", "128"], ["--contexts", "0"],
        ["--quantize", "int3"], ["--rows", "0"],
        ["--waves", "0"],
    ])
    func refusesBadUsage(_ arguments: [String]) async throws {
        #expect(try await bench(arguments).code == 64)
    }

    @Test(arguments: [
        (["--model", "/nowhere"], "/nowhere"), (["--synthetic", "/nowhere.json"], "/nowhere.json"),
        (["--json", "/nowhere/bench.json"], "/nowhere/bench.json"),
    ])
    func failsInOneLine(_ arguments: [String], _ named: String) async throws {
        let outcome = try await bench(arguments)
        #expect(outcome.code == 1)
        #expect(outcome.errorLines.count == 1, "\(outcome.error)")
        #expect(outcome.error.contains(named))
    }

    @Test func refusesWhatNoMemoryHolds() async throws {
        let directory = try TemporaryDirectory()
        let shape = #""hidden_size": 1048576, "intermediate_size": 1048576, "num_hidden_layers": 9000"#
        let huge = try directory.write("huge.json", "{\"architectures\": [\"LlamaForCausalLM\"], \(shape)}")
        let outcome = try await bench(["--synthetic", huge])
        #expect(outcome.code == 1)
        #expect(outcome.errorLines.count == 1, "\(outcome.error)")
        #expect(outcome.error.contains("huge.json") && outcome.error.contains("memory"))
    }
}
