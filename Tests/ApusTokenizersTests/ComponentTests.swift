import ApusJSON
import ApusTokenizers
import Testing

@Suite struct ComponentTests {
    /// A pipeline's tokenizer.json with the changes of one entry of components.json.
    static func tokenizer(_ entry: JSONValue) throws -> Tokenizer {
        let base = try TokenizerFixtures.json("\(try #require(entry["base"]?.string))/tokenizer.json")
        let removed = Set(try #require(entry["removed"]?.array).compactMap { $0.string.map(ExactString.init) })
        var model = try #require(entry["model"]?.object)
        let vocabulary = try #require(base["model"]?["vocab"]?.object)
        model.append("vocab", .object(JSONObject(vocabulary.filter { !removed.contains(ExactString($0.key)) })))
        model.append("merges", try #require(base["model"]?["merges"]))
        var root = try #require(entry["parts"]?.object)
        root.append("model", .object(model))
        return try TokenizerFixtures.load(JSONValue.object(root).serialized)
    }

    @Test func encodesAndDecodesAsTheReference() throws {
        let entries = try #require(try TokenizerFixtures.json("components.json").array)
        #expect(entries.count == 100)
        for entry in entries {
            let tokenizer = try Self.tokenizer(entry)
            let parts = try #require(entry["parts"]).serialized.prefix(600)
            for example in try #require(entry["cases"]?.array) {
                let text = try #require(example["text"]?.string)
                let ids = try TokenizerFixtures.ids(example["ids"])
                #expect(tokenizer.encode(text) == ids, "\(text.debugDescription) with \(parts)")
                let decoded = try #require(example["decoded"]?.string)
                #expect(tokenizer.decode(ids).utf8.elementsEqual(decoded.utf8), "\(ids) with \(parts)")
            }
        }
    }

    @Test func streamsWhatItDecodes() throws {
        var generator = SystemRandomNumberGenerator()
        for entry in try #require(try TokenizerFixtures.json("components.json").array) {
            let tokenizer = try Self.tokenizer(entry)
            for _ in 0..<20 {
                let ids = (0..<Int.random(in: 0..<30, using: &generator)).map { _ in
                    Int.random(in: -1..<tokenizer.vocabularySize + 1, using: &generator)
                }
                StreamingDecoderTests.expectSame(tokenizer, ids)
            }
        }
    }
}
