import ApusTestSupport
import Foundation
import Testing

/// What every verb says of itself, as it stands in Fixtures/Help. Where a change is meant, record it: APUS_RECORD=1.
@Suite struct HelpTests {
    private static let directory = fixtures + "/Help"
    private static let isRecording = ProcessInfo.processInfo.environment["APUS_RECORD"] == "1"

    private static func help(_ words: [String], columns: Int = 80) async throws -> String {
        let outcome = try await CommandRun(
            BuiltProgram.apus, words + ["--help"], environment: ["COLUMNS": "\(columns)"]
        ).finish()
        #expect(outcome.code == 0 && outcome.error.isEmpty)
        return outcome.output
    }

    /// From the help itself, so that a new verb has no test to be forgotten in.
    private static func verbs() async throws -> [String] {
        let list = try await help([]).split(separator: "SUBCOMMANDS:\n").last ?? ""
        return list.split(separator: "\n").compactMap { line in
            line.hasPrefix("  ") && !line.hasPrefix("   ") ? line.split(separator: " ").first.map(String.init) : nil
        }.filter { $0 != "See" }
    }

    @Test func isAsRecorded() async throws {
        let verbs = try await Self.verbs()
        #expect(verbs.contains("generate") && verbs.contains("env"))
        let expected = Set(([""] + verbs).map(Self.name))
        if Self.isRecording {
            try? FileManager.default.removeItem(atPath: Self.directory)
            try FileManager.default.createDirectory(atPath: Self.directory, withIntermediateDirectories: true)
        }
        for verb in [""] + verbs {
            let help = try await Self.help(verb.isEmpty ? [] : [verb])
            let path = Self.directory + "/" + Self.name(verb)
            if Self.isRecording { try help.write(toFile: path, atomically: true, encoding: .utf8) }
            let recorded = try? String(contentsOfFile: path, encoding: .utf8)
            #expect(help == recorded, "apus \(verb): the help has changed; where that is meant, APUS_RECORD=1")
        }
        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: Self.directory)) == expected)
    }

    @Test func staysInTheWindow() async throws {
        for verb in try await Self.verbs() {
            for line in try await Self.help([verb], columns: 60).split(separator: "\n") {
                // Names of flags and the usage are not broken.
                let text = line.drop { $0 == " " }
                if text.hasPrefix("-") || text.hasPrefix("USAGE") || text.hasPrefix("See ") { continue }
                #expect(line.count <= 60, "apus \(verb): \(line)")
            }
        }
    }

    private static func name(_ verb: String) -> String { verb.isEmpty ? "apus.txt" : "apus-\(verb).txt" }
}
