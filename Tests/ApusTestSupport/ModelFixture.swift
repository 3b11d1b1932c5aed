import ApusJSON

/// A tiny checkpoint with what transformers answers on it (Tests/Fixtures/Models/make.py).
package struct ModelFixture: Sendable, CustomStringConvertible {
    package struct Case: Sendable {
        package let prompt: [Int]
        package let tokens: [Int]
        package let finishReason: String
        package let logprobs: [Double]
        /// Logits after the prompt, where they are kept.
        package let lastLogits: [Float]?
    }

    package static let names = [
        "mha", "gqa-tied", "mqa-biases-sharded", "linear", "dynamic", "llama3", "yarn", "longrope", "proportional",
        "gelu",
        "own-head", "head-only", "bare", "window", "bf16", "f16",
    ]

    package let name: String
    package let directory: String
    /// `f32`, `bf16` or `f16`.
    package let dtype: String
    package let cases: [Case]

    package var description: String { name }

    package static func load(_ name: String) throws -> ModelFixture {
        let directory = fixtures + "/Models/" + name
        let file = try readFile(directory + "/expected.json")
        let value = try file.withUnsafeBytes { try JSONValue(parsing: $0) }
        return ModelFixture(
            name: name, directory: directory, dtype: value["dtype"]?.string ?? "",
            cases: (value["cases"]?.array ?? []).map { item in
                Case(
                    prompt: integers(item["prompt_token_ids"]), tokens: integers(item["token_ids"]),
                    finishReason: item["finish_reason"]?.string ?? "",
                    logprobs: item["logprobs"]?.array?.compactMap(\.double) ?? [],
                    lastLogits: item["last_logits"]?.array?.compactMap { $0.double.map { Float($0) } })
            })
    }

    private static func integers(_ value: JSONValue?) -> [Int] { value?.array?.compactMap(\.integer) ?? [] }
}

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The folder of committed fixtures.
package let fixtures = #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Fixtures"

package func readFile(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }
