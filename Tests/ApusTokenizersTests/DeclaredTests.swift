import ApusJSON
import ApusTokenizers
import Testing

/// Tokens that stand beside tokenizer.json: declared.json holds what transformers makes of each kind, and of random ones.
@Suite struct DeclaredTests {
    /// A pipeline's tokenizer.json with the changes of one entry of declared.json, and the files beside it.
    private static func tokenizer(_ entry: JSONValue) throws -> Tokenizer {
        var root = try #require(try TokenizerFixtures.json("\(entry["base"]?.string ?? "")/tokenizer.json").object)
        for change in try #require(entry["changes"]?.object) { root.append(change.key, change.value) }
        let files = try #require(entry["files"]?.object).map { ($0.key, $0.value.serialized) }
        return try TokenizerFixtures.load(
            JSONValue.object(root).serialized, files: Dictionary(uniqueKeysWithValues: files))
    }

    @Test func encodesAndDecodesAsTheReference() throws {
        let entries = try #require(try TokenizerFixtures.json("declared.json").array)
        #expect(entries.count == 42)
        for entry in entries {
            let name: Comment = "\(entry["name"]?.string ?? ""): \(entry["files"]?.serialized ?? "")"
            let tokenizer = try Self.tokenizer(entry)
            #expect(tokenizer.vocabularySize == entry["size"]?.integer, name)
            for example in try #require(entry["cases"]?.array) {
                let text = try #require(example["text"]?.string)
                #expect(tokenizer.encode(text) == (try TokenizerFixtures.ids(example["ids"])), name)
                let plain = try TokenizerFixtures.ids(example["plain"])
                #expect(tokenizer.encode(text, addSpecialTokens: false) == plain, name)
                let ids = try TokenizerFixtures.ids(example["decode"])
                let decoded = try #require(example["decoded"]?.string)
                #expect(tokenizer.decode(ids).utf8.elementsEqual(decoded.utf8), name)
                let skipped = try #require(example["skipped"]?.string)
                #expect(tokenizer.decode(ids, skipSpecialTokens: true).utf8.elementsEqual(skipped.utf8), name)
                StreamingDecoderTests.expectSame(tokenizer, ids)
            }
        }
    }

    @Test func namesEndsAsTheReference() throws {
        for entry in try #require(try TokenizerFixtures.json("declared.json").array) {
            let name: Comment = "\(entry["name"]?.string ?? ""): \(entry["files"]?.serialized ?? "")"
            let tokenizer = try Self.tokenizer(entry)
            let ends = try #require(entry["ends"])
            #expect(tokenizer.bosTokenID == ends["bos"]?.integer, name)
            #expect(tokenizer.eosTokenID == ends["eos"]?.integer, name)
            #expect(tokenizer.padTokenID == ends["pad"]?.integer, name)
            #expect(tokenizer.unkTokenID == ends["unk"]?.integer, name)
        }
    }

    @Test func takesTheSideOfPadding() throws {
        let parts = #""padding":{"strategy":"BatchLongest","direction":"Left","pad_token":"h"},"#
        let tokenizer = try TokenizerFixtures.load(TokenizerFixtures.tiny(parts))
        #expect(try tokenizer(["abcd", "e"], padding: .longest).inputIDs == [[9, 3], [7, 4]])
        let right = try TokenizerFixtures.load(
            TokenizerFixtures.tiny(parts), configuration: #"{"padding_side":"right","pad_token":"g"}"#)
        #expect(try right(["abcd", "e"], padding: .longest).inputIDs == [[9, 3], [4, 6]])
    }

    /// Objects without a type, which the reference refuses, are read as what they are meant to be.
    @Test func readsUntypedObjects() throws {
        let object = #"{"content":"d","lstrip":true}"#
        let named = try TokenizerFixtures.load(TokenizerFixtures.tiny(), configuration: #"{"eos_token":\#(object)}"#)
        #expect(named.encode("ab  d") == [8, 3])
        #expect(named.decode([8, 3], skipSpecialTokens: true) == "ab")
        let files = ["special_tokens_map.json": #"{"additional_special_tokens":[\#(object)]}"#]
        let extra = try TokenizerFixtures.load(TokenizerFixtures.tiny(), files: files)
        #expect(extra.decode([8, 3], skipSpecialTokens: true) == "ab")
    }

    @Test(arguments: [
        ("tokenizer_config.json", "[]", "must be an object"), ("tokenizer_config.json", "{", ""),
        ("tokenizer_config.json", #"{"bos_token":5}"#, ".bos_token"),
        ("tokenizer_config.json", #"{"mask_token":["x"]}"#, ".mask_token"),
        ("tokenizer_config.json", #"{"pad_token":{"lstrip":true}}"#, ".pad_token"),
        ("tokenizer_config.json", #"{"pad_token":{"content":"x","lstrip":1}}"#, ".pad_token.lstrip"),
        ("tokenizer_config.json", #"{"extra_special_tokens":"x"}"#, ".extra_special_tokens"),
        ("tokenizer_config.json", #"{"additional_special_tokens":["x",7]}"#, ".additional_special_tokens[1]"),
        ("tokenizer_config.json", #"{"extra_special_tokens":{"x":null}}"#, ".extra_special_tokens.x"),
        ("tokenizer_config.json", #"{"added_tokens_decoder":[]}"#, ".added_tokens_decoder"),
        ("tokenizer_config.json", #"{"added_tokens_decoder":{"x":{"content":"y"}}}"#, ".added_tokens_decoder"),
        ("tokenizer_config.json", #"{"added_tokens_decoder":{"5":"y"}}"#, ".added_tokens_decoder.5"),
        ("tokenizer_config.json", #"{"added_tokens_decoder":{"5":{"content":5}}}"#, ".added_tokens_decoder.5.content"),
        ("tokenizer_config.json", #"{"split_special_tokens":"yes"}"#, ".split_special_tokens"),
        ("tokenizer_config.json", #"{"padding_side":"top"}"#, ".padding_side"),
        ("special_tokens_map.json", "null", "must be an object"),
        ("special_tokens_map.json", #"{"eos_token":true}"#, ".eos_token"),
        ("special_tokens_map.json", #"{"additional_special_tokens":{"a":"b"}}"#, ".additional_special_tokens"),
        ("special_tokens_map.json", #"{"add_bos_token":"true"}"#, ".add_bos_token"),
        ("added_tokens.json", #"["x"]"#, "must be an object"), ("added_tokens.json", #"{"x":"5"}"#, ".x"),
    ])
    func refuses(_ file: String, _ content: String, _ part: String) {
        let error = #expect(throws: TokenizerError.self) {
            try TokenizerFixtures.load(TokenizerFixtures.tiny(), files: [file: content])
        }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains("\(file)\(part.hasPrefix(".") ? part : "")") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("\n") == false)
    }

    @Test func passesOverFilesOfOlderVersions() throws {
        let tokenizer = try TokenizerFixtures.load(
            TokenizerFixtures.tiny(), configuration: #"{"added_tokens_decoder":{},"eos_token":"d"}"#,
            files: ["special_tokens_map.json": "{", "added_tokens.json": "{"])
        #expect(tokenizer.eosTokenID == 3)
    }

    @Test(arguments: ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"])
    func namesLargeFilePointers(_ file: String) {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9085657\n"
        let error = #expect(throws: TokenizerError.self) {
            try TokenizerFixtures.load(TokenizerFixtures.tiny(), files: [file: pointer])
        }
        let expected = "/\(file): is a git-lfs pointer, not the file itself; fetch it with 'git lfs pull'"
        #expect(error?.code == .malformed)
        #expect(error?.message.hasSuffix(expected) == true, "\(error?.message ?? "")")
    }

    /// Ids at the end of their range, and many tokens with one text.
    @Test(.timeLimit(.minutes(1))) func survivesOddLists() throws {
        let model = #"{"model":{"vocab":{"a":4294967295},"merges":[]},"added_tokens":[{"id":0,"content":"a"}]}"#
        let last = try TokenizerFixtures.load(model, configuration: #"{"eos_token":"b","pad_token":"c"}"#)
        #expect(last.encode("a") == [4_294_967_295])
        let numbers = (-3..<20_000).map { #""\#($0)":{"content":"x","lstrip":\#($0 % 2 == 0)}"# }
        let extra = [String](repeating: #""y""#, count: 20_000)
        let many = try TokenizerFixtures.load(
            TokenizerFixtures.tiny(),
            configuration: """
                {"added_tokens_decoder":{\(numbers.joined(separator: ","))},
                "extra_special_tokens":[\(extra.joined(separator: ","))]}
                """)
        #expect(many.encode("xy") == [12, 13])
    }
}
