import ApusGeneration
import ApusJSON
import Foundation
import Testing

/// Against what transformers' own classes give (`Tests/Fixtures/Sampling/make.py`).
@Suite struct LogitsFixtureTests {
    private func cases() throws -> [JSONValue] {
        let url = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/Sampling/expected.json")
        let text = try String(contentsOf: url, encoding: .utf8)
        return try #require(try JSONValue(parsing: text)["cases"]?.array)
    }

    @Test func processorsGiveTheSameLogits() throws {
        let cases = try cases()
        #expect(cases.count >= 50)
        for entry in cases {
            let settings = try #require(entry["settings"])
            let ids = try #require(entry["input_ids"]?.array).compactMap(\.integer)
            let promptLength = try #require(entry["prompt_length"]?.integer)
            var logits = try #require(entry["logits"]?.array).compactMap(\.double).map(Float.init)
            let expected = try #require(entry["expected"]?.array).map { Float($0.double ?? -.infinity) }

            let config = GenerationConfig(
                minNewTokens: settings["min_new_tokens"]?.integer, doSample: true,
                temperature: settings["temperature"]?.double, topK: settings["top_k"]?.integer ?? 0,
                topP: settings["top_p"]?.double, minP: settings["min_p"]?.double,
                repetitionPenalty: settings["repetition_penalty"]?.double,
                eosTokenIDs: entry["eos_token_ids"]?.array?.compactMap(\.integer))
            let chain = LogitsProcessorChain(try config.resolved(promptLength: promptLength))
            let history = TokenHistory(prompt: Array(ids[..<promptLength]), generated: Array(ids[promptLength...]))
            var span = logits.mutableSpan
            chain.process(&span, history)
            #expect(logits == expected, "\(settings.serialized)")
        }
    }
}
