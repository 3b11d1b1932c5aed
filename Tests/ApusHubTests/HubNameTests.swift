import ApusHub
import ApusJSON
import Testing

@Suite struct HubNameTests {
    @Test(arguments: [
        ("org/name", HubName(repository: "org/name")),
        ("gpt2", HubName(repository: "gpt2")),
        ("org/name@v1.0", HubName(repository: "org/name", revision: "v1.0")),
        ("org/name@refs/pr/4", HubName(repository: "org/name", revision: "refs/pr/4")),
        ("org/name:Q8_0", HubName(repository: "org/name", choice: .quantization("Q8_0"))),
        ("org/name@main:Q8_0", HubName(repository: "org/name", revision: "main", choice: .quantization("Q8_0"))),
        ("org/name/a.gguf", HubName(repository: "org/name", choice: .file("a.gguf"))),
        ("org/name/Q4/a.GGUF@v2", HubName(repository: "org/name", revision: "v2", choice: .file("Q4/a.GGUF"))),
    ])
    func isRead(_ text: String, _ name: HubName) throws {
        let read = try HubName(text)
        #expect(read == name)
        #expect(read.description == text)
    }

    @Test(arguments: [
        "org/name@", "org/name@a..b", "org/name@../x", "org/name@a b", "org/name:", "org/name:a/b", "org/name/file.bin",
        "org/name/../a.gguf", "org/name/a.gguf:Q4", "org/name@/x", "a/b/c", "org\u{0}/name", "org\\name",
    ])
    func isRefused(_ text: String) {
        #expect(throws: HubError.self) { try HubName(text) }
    }

    @Test func repositoriesAreThoseOfHuggingfaceHub() throws {
        for entry in try HubFixture.expected()["names"]?.array ?? [] {
            let (name, valid) = (try #require(entry["name"]?.string), try #require(entry["valid"]?.bool))
            #expect(((try? HubName(name)) != nil) == valid, "\(name)")
        }
    }

    @Test func environmentsAreReadAsHuggingfaceHubReadsThem() throws {
        let entries = try HubFixture.expected()["environments"]?.array ?? []
        #expect(entries.count > 30)
        for entry in entries {
            var variables = ["HOME": "/home/someone", "X": "/x"]
            for member in entry["variables"]?.object ?? [:] { variables[member.key] = member.value.string }
            let environment = HubEnvironment(variables)
            #expect(environment.cachePath == entry["cache"]?.string, "\(variables)")
            #expect(environment.endpoint == entry["endpoint"]?.string, "\(variables)")
            #expect(environment.isOffline == entry["offline"]?.bool, "\(variables)")
            #expect(environment.token == entry["token"]?.string, "\(variables)")
            #expect(environment.disablesLinks == entry["disables_links"]?.bool, "\(variables)")
        }
    }
}
