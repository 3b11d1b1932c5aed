import ApusJSON
import ApusTokenizers
import FoundationEssentials
import Testing

/// The tokenizers of Tests/Fixtures/Tokenizers.
enum TokenizerFixtures {
    static let pipelines = ["llama2", "gpt2", "llama3"]
    /// Of other models, and of other files than tokenizer.json.
    static let others = [
        "bert", "t5", "words", "gpt2-files", "qwen2-files", "clip-files", "bert-files", "tiktoken-files",
        "tekken-files",
        "sentencepiece-bpe", "sentencepiece-unigram",
    ]

    static func path(_ name: String) -> String {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return tests.appending(path: "Fixtures/Tokenizers/\(name)").path
    }

    static func tokenizer(_ name: String) throws -> Tokenizer { try AutoTokenizer.from(pretrained: path(name)) }

    static func json(_ name: String) throws -> JSONValue {
        try JSONValue(parsing: String(decoding: Data(contentsOf: URL(filePath: path(name))), as: UTF8.self))
    }

    static func ids(_ value: JSONValue?) throws -> [Int] {
        try #require(value?.array).map { try #require($0.integer) }
    }

    /// A tokenizer from the text of a tokenizer.json and of files beside it, by their names.
    static func load(_ text: String, configuration: String? = nil, files: [String: String] = [:]) throws -> Tokenizer {
        let folder = FileManager.default.temporaryDirectory.appending(path: "apus-tokenizer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var files = files.merging(["tokenizer.json": text]) { given, _ in given }
        if let configuration { files["tokenizer_config.json"] = configuration }
        for (name, content) in files { try Data(content.utf8).write(to: folder.appending(path: name)) }
        return try AutoTokenizer.from(pretrained: folder.path)
    }

    /// A tokenizer.json around a tiny model whose tokens are the letters a to h and some merges of theirs.
    static func tiny(_ parts: String = "", model: String = "", merges: String = #""a b", "ab c""#) -> String {
        let tokens = ["a", "b", "c", "d", "e", "f", "g", "h", "ab", "abc", "▁", "<unk>"]
        let vocabulary = tokens.enumerated().map { "\"\($1)\":\($0)" }.joined(separator: ",")
        return """
            {"version":"1.0",\(parts)"model":{"type":"BPE",\(model)"vocab":{\(vocabulary)},"merges":[\(merges)]}}
            """
    }
}
