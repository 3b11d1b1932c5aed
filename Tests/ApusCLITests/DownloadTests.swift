import ApusJSON
import ApusTestSupport
import Foundation
import Testing

/// `apus download` from a stand-in for the hub (Tests/Hub/standin.py), and what finds models by their names.
@Suite struct DownloadTests {
    private let place: TemporaryDirectory
    private let demo: String

    init() throws {
        place = try TemporaryDirectory()
        demo = try #require(BuiltProgram.demo)
    }

    private func apus(_ arguments: [String], hub: String = "http://127.0.0.1:9") async throws -> CommandRun.Outcome {
        let environment = [
            "HF_ENDPOINT": hub, "HF_HUB_CACHE": place.path + "/cache", "HF_HOME": place.path, "HF_TOKEN": "",
            "HF_HUB_OFFLINE": "", "http_proxy": "", "HTTP_PROXY": "",
        ]
        return try await CommandRun(BuiltProgram.apus, arguments, environment: environment).finish()
    }

    /// Runs a body beside a hub that has the demo model.
    private func withHub(_ options: [String] = [], _ body: (String) async throws -> Void) async throws {
        let script = Repository.root + "/Tests/Hub/standin.py"
        let hub = try CommandRun(
            "/usr/bin/env", ["python3", script, "--model", "org/name=\(demo)", "--seconds", "300"] + options)
        defer { hub.process.terminate() }
        try await body(String(try await hub.awaitLines(1)[0]))
    }

    @Test func aNameThatIsNotThereIsOneLine() async throws {
        for arguments in [
            ["generate", "--model", "org/name", "a dog"], ["plan", "org/name"], ["chat", "--model", "org/name"],
            ["tokenize", "--model", "org/name", "--input", "-"], ["bench", "--model", "org/name"],
            ["models", "org/name"],
            ["quantize", "--model", "org/name", "--output", place.path + "/q", "--format", "int8"],
        ] {
            let outcome = try await apus(arguments)
            #expect(outcome.code == 1 && outcome.errorLines.count == 1 && outcome.output.isEmpty, "\(outcome.error)")
            #expect(outcome.error.contains("apus download org/name"), "\(outcome.error)")
        }
        let run = try await apus(["generate", "--model", "org/name", "a dog", "--output", place.path + "/out.jsonl"])
        #expect(run.code == 2 && run.errorLines.count == 1, "\(run.error)")
    }

    #if Download
        @Test func whatWasFetchedRunsByItsName() async throws {
            try await withHub { hub in
                let fetched = try await apus(["download", "org/name"], hub: hub)
                #expect(fetched.code == 0, "\(fetched.error)")
                #expect(fetched.output.hasPrefix(place.path + "/cache/models--org--name/snapshots/"))
                let again = try await apus(["download", "org/name"], hub: hub)
                #expect(again.output == fetched.output && again.error.contains("all there already"))
            }
            // From here on nobody listens.
            let arguments = ["a dog", "--json", "-q", "--max-new-tokens", "8"]
            let byName = try await apus(["generate", "--model", "org/name"] + arguments)
            let byPath = try await apus(["generate", "--model", demo] + arguments)
            #expect(byName.code == 0 && byName.output == byPath.output, "\(byName.error)")
            let models = try await apus(["models", "--json"])
            let first = try #require(JSONValue(parsing: models.output).array?.first)
            #expect(first["name"]?.string == "org/name" && first["family"]?.string == "llama")
            #expect(
                first["format"]?.string == "bfloat16" && first["fits"]?.bool == true
                    && first["revision"]?.string == "main")
            let details = try JSONValue(parsing: await apus(["models", "org/name", "--json"]).output)
            #expect(details["parameters"]?.integer == 1_967_808 && details["bits_per_weight"]?.double == 16)
            let other = try await apus(["plan", "org/name@v2"])
            #expect(other.code == 1 && other.error.contains("it has @main"), "\(other.error)")
        }

        @Test func aHubOnABadDay() async throws {
            try await withHub(["--rate-limit", "2", "--drop", "1500000"]) { hub in
                let fetched = try await apus(["download", "org/name", "-q"], hub: hub)
                #expect(fetched.code == 0 && fetched.error.isEmpty, "\(fetched.error)")
                let directory = fetched.lines[0]
                for name in ["config.json", "model.safetensors"] {
                    #expect(try readFile("\(directory)/\(name)") == readFile("\(demo)/\(name)"))
                }
            }
        }

        @Test func whatComesDamagedIsRefused() async throws {
            try await withHub(["--damage", "model.safetensors"]) { hub in
                let fetched = try await apus(["download", "org/name"], hub: hub)
                #expect(
                    fetched.code == 1 && fetched.output.isEmpty && fetched.errorLines.count == 1, "\(fetched.error)")
                #expect(
                    fetched.error.contains("model.safetensors") && fetched.error.contains("digest"), "\(fetched.error)")
            }
            let run = try await apus(["generate", "--model", "org/name@main", "a dog"])
            #expect(run.code == 1 && run.errorLines.count == 1, "\(run.error)")
        }

        @Test func aTokenIsForTheHubAlone() async throws {
            try await withHub(["--private", "--token", "secret"]) { hub in
                let refused = try await apus(["download", "org/name"], hub: hub)
                #expect(refused.code == 1 && refused.error.contains("HF_TOKEN") && refused.errorLines.count == 1)
                // The host of large files refuses whoever brings it one.
                try place.write("token", "secret\n")
                let fetched = try await apus(["download", "org/name"], hub: hub)
                #expect(fetched.code == 0, "\(fetched.error)")
            }
        }
    #else
        @Test func aBuildWithoutNetworkSaysSo() async throws {
            let outcome = try await apus(["download", "org/name"])
            #expect(outcome.code == 1 && outcome.error.contains("no network") && outcome.errorLines.count == 1)
        }
    #endif
}
