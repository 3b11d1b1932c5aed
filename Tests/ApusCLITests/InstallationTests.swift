import ApusJSON
import ApusTestSupport
import Foundation
import Testing

/// `make install` and what belongs to it.
@Suite struct InstallationTests {
    private func install(_ arguments: [String]) async throws {
        let outcome = try await CommandRun(Repository.root + "/Scripts/install.sh", arguments).finish()
        #expect(outcome.code == 0, "\(outcome.error)")
    }

    private func files(_ directory: String) -> Set<String> {
        let found = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
        return Set(
            found.filter {
                var isDirectory: ObjCBool = false
                return FileManager.default.fileExists(atPath: directory + "/" + $0, isDirectory: &isDirectory)
                    && !isDirectory.boolValue
            })
    }

    @Test func placesTheProgramWithAllThatBelongsToIt() async throws {
        let root = try TemporaryDirectory()
        try root.write("mine.txt", "stays")
        try await install([BuiltProgram.apus, root.path])
        let files = files(root.path)
        #expect(
            files.isSuperset(of: [
                "bin/apus", "share/apus/Demo/model.safetensors", "share/man/man1/apus.1",
                "share/man/man1/apus-generate.1", "share/bash-completion/completions/apus",
                "share/zsh/site-functions/_apus",
                "share/fish/vendor_completions.d/apus.fish",
            ]))
        try await install(["--remove", root.path])
        #expect(self.files(root.path) == ["mine.txt"])
    }

    /// From `bin` and from the top of an archive, through a link, with no folder of the build beside it.
    @Test(arguments: ["bin", "."]) func theInstalledProgramFindsItsDemo(_ folder: String) async throws {
        let root = try TemporaryDirectory()
        try await install([BuiltProgram.apus, root.path, folder])
        let link = root.path + "/link"
        try FileManager.default.createSymbolicLink(
            atPath: link, withDestinationPath: root.path + "/\(folder)/apus")
        let outcome = try await CommandRun(
            link, ["generate", "a dog", "a cat", "-n", "2", "-q", "--max-new-tokens", "2"]
        ).finish()
        #expect(outcome.code == 0 && outcome.lines.count == 2, "\(outcome.error)")
        try FileManager.default.removeItem(atPath: root.path + "/share/apus")
        let without = try await CommandRun(link, ["generate", "a dog", "-q"]).finish()
        #expect(without.code != 0 && without.error.contains("--model"), "\(without.error)")
    }

    // MARK: The manual

    @Test func theManualHasEveryOptionOfEveryVerb() async throws {
        let directory = try TemporaryDirectory()
        let made = try await CommandRun(BuiltProgram.apus, ["_manual", directory.path]).finish()
        #expect(made.code == 0 && made.error.isEmpty && made.output.isEmpty)
        let names = try directory.names
        #expect(names.contains("apus.1") && names.count > 5 && !names.contains { $0.contains("_") })
        let top = try String(contentsOfFile: directory.path + "/apus.1", encoding: .utf8)
        for name in names where name != "apus.1" {
            let page = try String(contentsOfFile: directory.path + "/" + name, encoding: .utf8)
            let verb = String(name.dropFirst("apus-".count).dropLast(".1".count))
            #expect(top.contains("\\fB\(verb)\\fR"))
            let help = try await CommandRun(BuiltProgram.apus, [verb, "--help"]).finish().output
            let flags = help.matches(of: /(?m)^  (?:-\w, )?(--[a-z][a-z-]*)/).map { String($0.output.1) }
            #expect(flags.contains("--help"))
            for flag in flags where !["--help", "--version"].contains(flag) {
                #expect(page.contains("\\fB\(flag.replacing("-", with: "\\-"))\\fR"), "\(flag) of \(verb)")
            }
            // No line that a person wrote is taken for a request.
            for line in page.split(separator: "\n") where line.hasPrefix(".") {
                #expect(line.wholeMatch(of: /\.(TH|SH|B) .+|\.(TP|PP|nf|fi)/) != nil, "\(name): \(line)")
            }
        }
    }

    // MARK: Completions

    @Test func completionsOfferVerbsAndFilesAndNothingHidden() async throws {
        for shell in ["bash", "zsh", "fish"] {
            let script = try await CommandRun(BuiltProgram.apus, ["--generate-completion-script", shell]).finish()
            #expect(script.code == 0 && script.output.contains("quantize"))
            for hidden in ["_worker", "_bench-worker", "_manual"] {
                #expect(!script.output.contains("\(hidden)"), "\(shell) offers \(hidden)")
            }
        }
        let directory = try TemporaryDirectory()
        let bash = try await CommandRun(BuiltProgram.apus, ["--generate-completion-script", "bash"]).finish().output
        let script = try directory.write("apus.bash", bash)
        let asked = try await CommandRun(
            "/bin/bash",
            [
                "-c",
                """
                source '\(script)'
                COMP_WORDS=(apus qu) COMP_CWORD=1 COMP_LINE='apus qu' COMP_POINT=7
                cur=qu; _apus apus qu apus; echo "${COMPREPLY[@]}"
                """,
            ]
        ).finish()
        #expect(asked.lines == ["quantize"], "\(asked.error)")
    }
}
