import ApusHub
import ApusJSON
import ApusTestSupport
import Foundation
import Testing

@Suite struct ModelPathTests {
    private let made: MadeUpCache

    init() throws { made = try MadeUpCache() }

    private func failure(_ name: String, for need: ModelPath.Need = .weights) -> HubError? {
        do {
            _ = try made.paths.resolve(name, for: need)
            return nil
        } catch {
            return error
        }
    }

    @Test func revisionsAreThoseOfHuggingfaceHub() throws {
        let expected = try HubFixture.expected()
        for member in expected["refs"]?.object ?? [:] {
            try made.refer("org/name", member.key, to: member.value.string ?? "")
        }
        for commit in expected["snapshots"]?.array?.compactMap(\.string) ?? [] {
            for file in ["config.json", "model.safetensors"] { try made.add("org/name", file, commit: commit) }
        }
        let entries = expected["revisions"]?.array ?? []
        #expect(entries.count > 10)
        for entry in entries {
            let name = "org/name" + (entry["revision"]?.string.map { "@\($0)" } ?? "")
            let found = try? made.paths.resolve(name)
            #expect(found == entry["commit"]?.string.map { made.snapshot("org/name", $0) }, "\(name)")
            if found == nil {
                let error = try #require(failure(name))
                #expect(error.code == .notCached && error.message.hasSuffix("apus download \(name)"), "\(error)")
            }
        }
    }

    @Test(arguments: [false, true]) func linksAndPlainFilesServe(_ plain: Bool) throws {
        try made.refer("gpt2", "main")
        for file in ["config.json", "model.safetensors"] { try made.add("gpt2", file, plain: plain) }
        #expect(try made.paths.resolve("gpt2") == made.snapshot("gpt2"))
    }

    @Test func whatLiesThereComesFirst() throws {
        let place = try TemporaryDirectory()
        let file = try place.write("config.json", "{}")
        #expect(try made.paths.resolve(place.path) == place.path)
        #expect(try made.paths.resolve(file) == file)
        for path in ["/nowhere/at/all", "./org/name", "~/x", "a/b/c", "", "config.json", "x/model.gguf"] {
            #expect(try made.paths.resolve(path) == path)
        }
    }

    @Test func whatIsMissingIsNamed() throws {
        #expect(failure("org/name")?.message.contains("holds no model of that name") == true)
        try made.refer("org/name", "main")
        try made.add("org/name", "README.md")
        #expect(failure("org/name")?.message.contains("lacks config.json") == true)
        #expect(try made.paths.resolve("org/name", for: .tokenizer) == made.snapshot("org/name"))
        try made.add("org/name", "config.json")
        #expect(failure("org/name")?.message.contains("lacks model.safetensors;") == true)
        #expect(try made.paths.resolve("org/name", for: .configuration) == made.snapshot("org/name"))
        try made.add(
            "org/name", "model.safetensors.index.json",
            #"{"weight_map": {"a": "one.safetensors", "b": "b/two.safetensors"}}"#)
        try made.add("org/name", "one.safetensors")
        #expect(failure("org/name")?.message.contains("lacks b/two.safetensors;") == true)
        try made.add("org/name", "b/two.safetensors")
        #expect(try made.paths.resolve("org/name") == made.snapshot("org/name"))
        #expect(failure("org/name@other")?.message.contains("it has @main") == true)
    }

    @Test func aLinkThatLeadsNowhereIsNoFile() throws {
        try made.refer("org/name", "main")
        try made.add("org/name", "config.json")
        try FileManager.default.createSymbolicLink(
            atPath: made.snapshot("org/name") + "/model.safetensors", withDestinationPath: "../../blobs/gone")
        #expect(failure("org/name")?.message.contains("lacks model.safetensors;") == true)
    }

    // MARK: GGUF

    @Test(arguments: [
        (["m-Q8_0.gguf", "m-Q4_K_M.gguf", "m-Q4_K_S.gguf"], "org/name", "m-Q4_K_M.gguf"),
        (["m-Q8_0.gguf", "m-Q4_K_M.gguf"], "org/name:q8_0", "m-Q8_0.gguf"),
        (["m.Q4_K.gguf", "m.Q4_K_M.gguf"], "org/name:Q4_K", "m.Q4_K.gguf"),
        (["m-Q8_0.gguf"], "org/name", "m-Q8_0.gguf"),
        (["m-Q8_0.gguf", "mmproj-f16.gguf", "imatrix.gguf"], "org/name", "m-Q8_0.gguf"),
        (["m-Q8_0.gguf", "m-F16.gguf"], "org/name/m-F16.gguf", "m-F16.gguf"),
        (
            ["Q8_0/m-Q8_0-00001-of-00002.gguf", "Q8_0/m-Q8_0-00002-of-00002.gguf"], "org/name",
            "Q8_0/m-Q8_0-00001-of-00002.gguf"
        ),
        (["m-BF16.gguf", "m-UD-Q4_K_XL.gguf"], "org/name:UD-Q4_K_XL", "m-UD-Q4_K_XL.gguf"),
    ])
    func oneFileIsPicked(_ files: [String], _ name: String, _ picked: String) throws {
        try made.refer("org/name", "main")
        for file in files + ["config.json", "README.md"] { try made.add("org/name", file) }
        #expect(try made.paths.resolve(name) == made.snapshot("org/name") + "/" + picked)
    }

    @Test func severalAreListed() throws {
        try made.refer("org/name", "main")
        for file in ["m-Q8_0.gguf", "m-F16.gguf"] { try made.add("org/name", file) }
        let error = try #require(failure("org/name"))
        #expect(error.code == .ambiguous && error.message.contains("m-F16.gguf, m-Q8_0.gguf"), "\(error)")
        #expect(failure("org/name:Q5_0")?.message.contains("only m-F16.gguf, m-Q8_0.gguf") == true)
        #expect(failure("org/name/other.gguf")?.message.hasSuffix("apus download org/name/other.gguf") == true)
    }

    @Test func allPartsMustBeThere() throws {
        try made.refer("org/name", "main")
        try made.add("org/name", "m-00001-of-00002.gguf")
        #expect(failure("org/name")?.message.contains("only 1 of the 2 parts of m-00001-of-00002.gguf") == true)
    }

    @Test func weightsOfACheckpointComeBeforeGGUF() throws {
        try made.refer("org/name", "main")
        for file in ["m-Q8_0.gguf", "config.json", "model.safetensors"] { try made.add("org/name", file) }
        #expect(try made.paths.resolve("org/name") == made.snapshot("org/name"))
        #expect(try made.paths.resolve("org/name:Q8_0") == made.snapshot("org/name") + "/m-Q8_0.gguf")
    }

    @Test func ofADirectoryToo() throws {
        let place = try TemporaryDirectory()
        for name in ["m-Q4_K_M.gguf", "m-Q8_0.gguf", "config.json"] { try place.write(name, "{}") }
        #expect(try made.paths.resolve(place.path) == place.path + "/m-Q4_K_M.gguf")
    }
}
