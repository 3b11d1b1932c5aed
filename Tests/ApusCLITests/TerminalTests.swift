import ApusTestSupport
import Foundation
import Testing

/// What is written to a terminal, one that `script` of util-linux makes.
@Suite struct TerminalTests {
    private static let escape = "\u{1B}"

    /// What `apus generate` writes to standard error, on a terminal as wide.
    private func standardError(_ environment: [String: String], columns: Int = 80) async throws -> String {
        let directory = try TemporaryDirectory()
        // One after the other and each for a while, so that results do not come together.
        let prompts = try directory.write("prompts.txt", String(repeating: "a dog\n", count: 4))
        let command = """
            stty cols \(columns) rows 20; '\(try BuiltProgram.apus)' generate --prompts '\(prompts)' --max-new-tokens 40 \
            --batch-size 1 2>&1 >/dev/null
            """
        let outcome = try await CommandRun(
            "/usr/bin/env", ["script", "-qec", command, "/dev/null"],
            environment: ["COLUMNS": "", "NO_COLOR": ""].merging(environment) { $1 }
        ).finish()
        #expect(outcome.code == 0, "\(outcome.output)")
        return outcome.output
    }

    @Test func progressIsRewrittenInPlaceAndTakenAway() async throws {
        let text = try await standardError(["TERM": "xterm"])
        let erase = "\r\(Self.escape)[K"
        #expect(text.contains("\(erase)1/4 prompts, "))
        #expect(text.contains("\(erase)tokens/sec: "))
    }

    @Test(arguments: [1, 12, 20, 40]) func progressNeverWraps(_ columns: Int) async throws {
        let drawn = try await standardError(["TERM": "xterm"], columns: columns).split(separator: "\(Self.escape)[K")
            .dropFirst().map { $0.prefix { $0 != "\r" } }
        // The last piece is the summary, which stays and may wrap.
        #expect(drawn.count >= 2)
        for line in drawn.dropLast() { #expect(line.count < columns, "\(line)") }
        #expect(columns == 1 || drawn.contains { "1/4 prompts, ".hasPrefix($0.prefix(13)) && !$0.isEmpty })
    }

    @Test(arguments: ["", "dumb"]) func nothingIsRewrittenOnATerminalThatOnlyGoesOn(_ kind: String) async throws {
        let text = try await standardError(["TERM": kind])
        #expect(!text.contains(Self.escape) && !text.contains("prompts, "))
        #expect(text.contains("tokens/sec: "))
        // Returns come with the ends of lines alone.
        #expect(text.unicodeScalars.count { $0 == "\r" } == text.unicodeScalars.count { $0 == "\n" })
    }

    /// There are no colours, so there is nothing to turn off (no-color.org).
    @Test(arguments: [[:], ["NO_COLOR": "1"]]) func nothingIsColoured(_ environment: [String: String]) async throws {
        let colourful = ["TERM": "xterm-256color", "CLICOLOR_FORCE": "1"]
        let text = try await standardError(colourful.merging(environment) { $1 })
        #expect(text.contains(Self.escape))
        // Select Graphic Rendition ends in m.
        #expect(text.firstMatch(of: /\u{1B}\[[0-9;:]*m/) == nil)
    }
}
