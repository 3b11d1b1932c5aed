import ApusJSON
import ApusTestSupport
import ApusTokenizers
import FoundationEssentials
import Testing

@Suite struct LoadingTests {
    private static func error(_ text: String) -> TokenizerError? {
        #expect(throws: TokenizerError.self) { try TokenizerFixtures.load(text) }
    }

    @Test func needsAFile() {
        let error = #expect(throws: TokenizerError.self) { try AutoTokenizer.from(pretrained: "/nowhere/at/all/") }
        #expect(error?.code == .missing)
        #expect(error?.message.contains("/nowhere/at/all") == true)
    }

    /// Errors of vocabulary files name the file and the line.
    @Test(arguments: [
        (
            ["vocab.json": #"{"a":0,"b":1}"#, "merges.txt": "#version: 0.2\n\na b c\n"],
            "merges.txt: line 3 must be two"
        ),
        (["vocab.json": #"{"a":0,"b":1}"#, "merges.txt": "a b\n"], #"merges.txt: line 1 needs the token "ab""#),
        (["vocab.json": "{}"], "vocab.json needs merges.txt"), (["merges.txt": ""], "merges.txt needs vocab.json"),
        (["tokenizer.model": ""], "tokenizer.model: holds no pieces"),
        (["a.tiktoken": "YQ== 0\nYg"], "a.tiktoken: line 2"),
    ])
    func namesWhatIsWrong(_ files: [String: String], _ expected: String) throws {
        let place = try TemporaryDirectory()
        for (name, text) in files { try place.write(name, text) }
        let error = #expect(throws: TokenizerError.self) { try AutoTokenizer.from(pretrained: place.path) }
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        (#""normalizer":{"type":"Rot13"},"#, #"normalizer: the normalizer type "Rot13""#),
        (#""pre_tokenizer":{"type":"Syllables"},"#, #"pre-tokenizer type "Syllables""#),
        (#""decoder":{"type":"Rot13"},"#, #"decoder type "Rot13""#),
        (#""post_processor":{"type":"Shuffle"},"#, #"post-processor type "Shuffle""#),
        (
            #""pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"X"}]},"#,
            "pre_tokenizer.pretokenizers[1]"
        ),
    ])
    func namesUnknownComponents(_ parts: String, _ expected: String) {
        let error = Self.error(TokenizerFixtures.tiny(parts))
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("tokenizer.json") == true)
    }

    @Test func namesUnsupportedModels() {
        let error = Self.error(#"{"model":{"type":"Morphemes","vocab":[]}}"#)
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("Morphemes") == true)
    }

    @Test(arguments: [
        "", "{", "[]", "{}", "null", #"{"model":null}"#, #"{"model":{}}"#, #"{"model":{"vocab":{},"merges":{}}}"#,
        #"{"model":{"vocab":[],"merges":[]}}"#, #"{"model":{"vocab":{"a":-1},"merges":[]}}"#,
        #"{"model":{"vocab":{"a":1152921504606846976},"merges":[]}}"#,
        #"{"model":{"vocab":{"a":4294967296},"merges":[]}}"#, #"{"model":{"vocab":{"a":1.5},"merges":[]}}"#,
        #"{"model":{"vocab":{"a":"0"},"merges":[]}}"#, #"{"model":{"vocab":{"a":0},"merges":["a b"]}}"#,
        #"{"model":{"vocab":{"a":0},"merges":["a a"]}}"#, #"{"model":{"vocab":{"a":0},"merges":["a"]}}"#,
        #"{"model":{"vocab":{"a":0},"merges":[["a"]]}}"#, #"{"model":{"vocab":{"a":0},"merges":[["a",1]]}}"#,
        #"{"model":{"vocab":{"a":0},"merges":[1]}}"#, #"{"model":{"vocab":{},"merges":[],"dropout":0.1}}"#,
        #"{"model":{"vocab":{},"merges":[],"fuse_unk":1}}"#, #"{"version":"2.0","model":{"vocab":{},"merges":[]}}"#,
        #"{"model":{"vocab":{},"merges":[]},"added_tokens":{}}"#,
        #"{"model":{"vocab":{},"merges":[]},"added_tokens":[{"id":0}]}"#,
        #"{"model":{"vocab":{},"merges":[]},"added_tokens":[{"id":-1,"content":"a"}]}"#,
        #"{"model":{"vocab":{},"merges":[]},"added_tokens":[{"id":4294967296,"content":"a"}]}"#,
        #"{"model":{"vocab":{},"merges":[]},"decoder":{"type":"Strip","content":"ab","start":0,"stop":0}}"#,
        #"{"model":{"vocab":{},"merges":[]},"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}],"special_tokens":{}}}"#,
    ])
    func refuses(_ text: String) {
        let error = Self.error(text)
        #expect(error?.message.contains("tokenizer.json") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("\n") == false)
    }

    @Test func boundsWhatTemplatesAdd() {
        func template(_ single: String, ids: Int) -> String {
            let ids = [String](repeating: "1", count: ids).joined(separator: ",")
            return TokenizerFixtures.tiny(
                """
                "post_processor":{"type":"TemplateProcessing","single":[\(single)],
                "special_tokens":{"x":{"id":"x","ids":[\(ids)],"tokens":[]}}},
                """)
        }
        let special = #"{"SpecialToken":{"id":"x"}}"#
        let text = #"{"Sequence":{"id":"A"}}"#
        #expect(Self.error(template("\(text),\(special),\(text)", ids: 1))?.code == .unsupported)
        let many = [String](repeating: special, count: 1_000).joined(separator: ",")
        #expect(Self.error(template(many, ids: 1_000))?.code == .unsupported)
        #expect(Self.error(template(#"{"Sequence":{"id":"B"}}"#, ids: 1))?.code == .malformed)
    }

    @Test(.timeLimit(.minutes(1))) func findsManyLongAddedTokens() throws {
        let tokens = (0..<2_000).map { number in
            let content = "<|\(String(repeating: "long", count: 20))\(number)|>"
            return #"{"id":\#(20 + number),"content":"\#(content)","normalized":false}"#
        }
        let parts = "\"added_tokens\":[\(tokens.joined(separator: ","))],"
        let tokenizer = try TokenizerFixtures.load(TokenizerFixtures.tiny(parts))
        let text = (0..<2_000).map { "a<|\(String(repeating: "long", count: 20))\($0)|>" }.joined()
        #expect(tokenizer.encode(text) == (0..<2_000).flatMap { [0, 12 + $0] })
    }

    @Test func acceptsOddIDs() throws {
        let text = #"{"model":{"vocab":{"a":4294967295,"b":7,"c":7,"é":0},"merges":[]}}"#
        let tokenizer = try TokenizerFixtures.load(text)
        #expect(tokenizer.encode("abcé") == [4_294_967_295, 7, 7, 0])
        #expect(tokenizer.decode([4_294_967_295, 7, 1, 0]) == "a b é")
        #expect(try TokenizerFixtures.load(#"{"model":{"vocab":{},"merges":[]}}"#).encode("abc") == [])
    }

    /// Bytes flipped, cut or put in: a load or one error, and what loads encodes and decodes without harm.
    @Test(.timeLimit(.minutes(2)), arguments: TokenizerFixtures.pipelines)
    func survivesMutations(_ name: String) throws {
        let original = Array(try Data(contentsOf: URL(filePath: TokenizerFixtures.path("\(name)/tokenizer.json"))))
        let folder = FileManager.default.temporaryDirectory.appending(path: "apus-mutations-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var loaded = 0
        // The components stand before the model, in the first part of the file.
        let head = original.count / 8
        for round in 0..<200 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3) {
                let place = Int.random(in: 0..<(round % 2 == 0 ? min(head, bytes.count) : bytes.count))
                switch Int.random(in: 0..<5) {
                case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8)
                case 1: bytes.removeSubrange(place..<min(place + Int.random(in: 1..<20), bytes.count))
                case 2: bytes.insert(contentsOf: Array("999999999999".utf8), at: place)
                case 3: bytes[place] = UInt8(ascii: "0") + UInt8.random(in: 0..<10)
                default: if round % 10 == 0 { bytes.removeSubrange(place...) }
                }
                if bytes.isEmpty { bytes = [0] }
            }
            try Data(bytes).write(to: folder.appending(path: "tokenizer.json"))
            do {
                let tokenizer = try AutoTokenizer.from(pretrained: folder.path)
                loaded += 1
                let ids = tokenizer.encode("<s> It's 12345 naïve😀 <|endoftext|>\n\n  x")
                _ = tokenizer.decode(ids + [0, 1, 5, 640, -1, .max])
            } catch {
                #expect(error.message.contains("tokenizer.json"))
            }
        }
        #expect(loaded > 10)
    }
}
