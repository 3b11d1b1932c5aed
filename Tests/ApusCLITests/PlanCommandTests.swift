import ApusJSON
import ApusTestSupport
import Testing

@Suite struct PlanCommandTests {
    private let directory: TemporaryDirectory
    private let config: String

    init() throws {
        directory = try TemporaryDirectory()
        config = try directory.write(
            "config.json",
            """
            {"model_type": "llama", "vocab_size": 4000, "hidden_size": 256, "intermediate_size": 512,
             "num_hidden_layers": 12, "num_attention_heads": 8, "num_key_value_heads": 2, "dtype": "bfloat16"}
            """)
    }

    private func plan(_ arguments: [String]) async throws -> CommandRun.Outcome {
        try await CommandRun(BuiltProgram.apus, ["plan", config] + arguments).finish()
    }

    @Test func sumsAreRight() async throws {
        let outcome = try await plan(["--max-memory", "cuda:0=20MB,cuda:1=1GB", "--batch-size", "2", "--json"])
        let report = try JSONValue(parsing: outcome.output)
        let rows = try #require(report["devices"]?.array)
        #expect(rows.count == 2)
        for row in rows {
            let parts = ["weights", "kv", "activations", "workspace"].compactMap { row[$0]?.integer }
            #expect(parts.count == 4 && parts.reduce(0, +) == row["total"]?.integer)
            #expect(row["total"]?.integer ?? .max <= row["budget"]?.integer ?? 0)
        }
    }

    /// What a refusal promises, and what a plan says of other sizes, holds when it is asked for.
    @Test(arguments: [nil, "int4"] as [String?], ["", ",disk=1GB"]) func whatWouldFitFits(
        _ format: String?, _ disk: String
    ) async throws {
        let common = ["--max-memory", "cpu:0=24MB,cpu:1=13MB\(disk)"] + (format.map { ["--quantize", $0] } ?? [])
        let refusal = try await plan(common + ["--batch-size", "100000", "--context-length", "512"])
        #expect(refusal.code != 0 && refusal.error.split(separator: "\n").count == 1)
        let found = refusal.error.firstMatch(of: /a batch size of ([0-9]+) would fit/)
        let batch = try #require(found.flatMap { Int($0.1) }, "\(refusal.error)")
        func code(_ batch: Int, _ context: Int) async throws -> Int32 {
            try await plan(common + ["--batch-size", "\(batch)", "--context-length", "\(context)"]).code
        }
        #expect(try await code(batch, 512) == 0)
        #expect(try await code(batch + 1, 512) != 0)
        let report = try JSONValue(
            parsing: await plan(common + ["--batch-size", "\(batch)", "--context-length", "512", "--json"]).output)
        let context = try #require(report["fits"]?["context_length"]?.integer)
        #expect(try await code(batch, context) == 0)
        #expect(try await code(batch, context + 1) != 0)
    }

    @Test(arguments: [
        (["--max-memory", "cuda:00=1GB"], "cuda:00"), (["--max-memory", "cuda:0=1GB,cuda:0=1GB"], "cuda:0"),
        (["--max-memory", "cpu=0"], "0 bytes"), (["--max-memory", "cpu=-1"], "-1"),
        (["--device-map", #"{"": 1.5}"#], "1.5"), (["--device-map", #"{"": 0, "model.norm": "cpu:9"}"#], "cpu:9"),
        (["--max-memory", "cpu=1MB,disk=1GB", "--quantize", "int8"], "apus quantize"),
    ])
    func refusesInOneLine(_ arguments: [String], _ named: String) async throws {
        let outcome = try await plan(arguments)
        #expect(outcome.code != 0 && outcome.error.contains(named), "\(outcome.error)")
        #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
    }
}
