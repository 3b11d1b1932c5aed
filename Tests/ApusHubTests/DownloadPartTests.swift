import ApusDownload
import ApusHub
import Testing

@Suite struct DownloadPartTests {
    // MARK: Digests (FIPS 180-4's examples, and lengths around a block)

    private func sha256(_ bytes: [UInt8], piece: Int = 1 << 20) -> String {
        var digest = SHA256()
        for start in stride(from: 0, to: bytes.count, by: piece) {
            Array(bytes[start..<min(start + piece, bytes.count)]).withUnsafeBytes { digest.add($0) }
        }
        return digest.finish()
    }

    @Test func digestsAreThoseOfTheStandard() {
        #expect(sha256([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(sha256(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            sha256(Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8))
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        #expect(sha256(million) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        #expect(sha256(million, piece: 63) == sha256(million) && sha256(million, piece: 65) == sha256(million))
        var sha1 = SHA1()
        // What `git hash-object` calls an empty file.
        Array("blob 0\0".utf8).withUnsafeBytes { sha1.add($0) }
        #expect(sha1.finish() == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
    }

    // MARK: Patterns

    @Test(arguments: [
        ("*.json", "config.json", true), ("*.json", "a/b.json", true), ("*.json", "config.jsonl", false),
        ("model-0000[1-3]*", "model-00002-of-00003.safetensors", true), ("model-0000[!1-3]*", "model-00002", false),
        ("a?c", "abc", true), ("a?c", "ac", false), ("original/", "original/x.pth", true), ("[", "[", true),
        ("*a*b*c*", "xxaxxbxxcxx", true), ("*a*b*c*", "xxaxxcxxbxx", false), ("", "", true), ("[]]", "]", true),
    ])
    func patternsAreThoseOfFnmatch(_ pattern: String, _ name: String, _ matches: Bool) {
        #expect(Glob(pattern).matches(name) == matches)
    }

    @Test func aPatternTakesNoTimeWithoutEnd() {
        let text = String(repeating: "a", count: 5000)
        #expect(!Glob(String(repeating: "a*", count: 50) + "b").matches(text))
    }

    // MARK: What is fetched

    private func wanted(_ names: [String], _ name: String = "org/name", include: [String] = []) throws -> Set<String> {
        Set(try WantedFiles(names, of: HubName(name), include: include).files)
    }

    @Test func onlyWhatIsRead() throws {
        let others = ["README.md", ".gitattributes", "pytorch_model.bin", "onnx/model.onnx", "tf_model.h5", "LICENSE"]
        let small = ["config.json", "tokenizer.json", "chat_template.jinja", "additional_chat_templates/rag.jinja"]
        #expect(
            try wanted(others + small + ["model.safetensors", "consolidated.safetensors"])
                == Set(small + ["model.safetensors"]))
        #expect(
            try wanted(
                small + ["consolidated.safetensors", "m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors"])
                == Set(small + ["m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors"]))
        let sharded = try WantedFiles(
            small + ["model.safetensors.index.json", "model-00001-of-00001.safetensors"], of: HubName("org/name"),
            include: [])
        #expect(sharded.endsWithIndex && sharded.files.last == "model.safetensors.index.json")
        #expect(!sharded.files.contains("model-00001-of-00001.safetensors"))
        #expect(try wanted(["m-Q4_K_M.gguf", "m-Q8_0.gguf", "config.json"]) == ["m-Q4_K_M.gguf"])
        #expect(try wanted(["model.safetensors", "config.json", "x.gguf"]) == ["model.safetensors", "config.json"])
        #expect(try wanted(["model.safetensors", "x-f16.gguf"], "org/name:F16") == ["x-f16.gguf"])
        #expect(throws: HubError.self) { try wanted(["config.json", "pytorch_model.bin"]) }
        #expect(throws: HubError.self) { try wanted(["README.md"]) }
        #expect(throws: HubError.self) { try wanted(["README.md"], include: ["*.json"]) }
        #expect(throws: HubError.self) { try wanted(["a-00001-of-00002.gguf"]) }
    }

    // MARK: Addresses

    @Test func addressesAreReadAsTheyAreWritten() throws {
        let hub = try #require(HTTPAddress("https://Hub.example:8443/a/b?x=%2f~&y=a+b#part"))
        #expect(hub.origin.scheme == "https" && hub.origin.host == "hub.example" && hub.origin.port == 8443)
        #expect(hub.path == "/a/b?x=%2f~&y=a+b")
        #expect(hub.following("/c")?.description == "https://Hub.example:8443/c")
        #expect(hub.following("c?d")?.description == "https://Hub.example:8443/a/c?d")
        #expect(hub.following("//other/c")?.description == "https://other/c")
        let other = try #require(hub.following("http://[::1]/"))
        #expect(other.origin.scheme == "http" && other.origin.host == "[::1]" && other.origin.port == 80)
        for text in [
            "ftp://x", "https://", "https://user:word@x/", "https://x:0/", "https://x:99999/", "http://a b/", "x",
        ] {
            #expect(HTTPAddress(text) == nil, "\(text)")
        }
        #expect(HTTPAddress.escaped("refs/pr/1", keepsSlashes: false) == "refs%2Fpr%2F1")
        #expect(HTTPAddress.escaped("a b/ü", keepsSlashes: true) == "a%20b/%C3%BC")
    }
}
