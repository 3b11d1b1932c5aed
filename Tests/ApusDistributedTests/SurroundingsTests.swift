import ApusTestSupport
import Foundation
import Testing

@Suite("Odd surroundings", .serialized)
struct SurroundingsTests {
    /// Runs a line of bash in which `apus` and `rank` stand for the programs.
    private func shell(
        _ line: String, in directory: String? = nil, environment: [String: String] = [:]
    ) async throws -> CommandRun.Outcome {
        let preamble = "apus='\(try BuiltProgram.apus)' rank='\(try BuiltProgram.rank)'; cd '\(directory ?? "/")'; "
        return try await CommandRun("/bin/bash", ["-c", preamble + line], environment: environment).finish()
    }

    @Test func aClosedInputIsNothingToRead() async throws {
        let outcome = try await shell("$apus launch -n 2 bash -c 'readlink /proc/self/fd/0; exec cat' <&-")
        #expect(outcome.output == "/dev/null\n/dev/null\n")
        #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    }

    @Test(arguments: [(">&-", "Bad file descriptor"), ("> /dev/full", "No space left on device")])
    func anOutputThatCannotBeWrittenIsOneLine(output: String, reason: String) async throws {
        for program in ["echo hello", "yes"] {
            let outcome = try await shell("$apus launch -n 2 \(program) \(output)")
            #expect(outcome.error == "apus launch: standard output cannot be written: \(reason)\n")
            #expect(outcome.code == 1)
        }
        for count in 1...2 {
            let outcome = try await shell("$apus generate --quiet --max-new-tokens 2 -n \(count) a b \(output)")
            #expect(outcome.error == "Error: standard output cannot be written: \(reason)\n")
            #expect(outcome.code == 1)
        }
    }

    @Test(arguments: ["2>&-", "2> /dev/full"])
    func messagesThatCannotBeWrittenEndNobody(error: String) async throws {
        let outcome = try await shell("$apus launch -n 2 bash -c 'echo message >&2; sleep .1; echo $RANK' \(error)")
        #expect(outcome.lines.sorted() == ["0", "1"] && outcome.code == 0)
        let failed = try await shell("$apus launch -n 2 bash -c 'echo message >&2; sleep .1; exit 7' \(error)")
        #expect(failed.code == 7)
    }

    @Test func ranksInheritWhatTheLauncherWasStartedWith() async throws {
        let outcome = try await shell("$apus launch -n 2 cat <(sleep .1; echo text) 7< /dev/null | sort")
        #expect(outcome.lines == ["text"])
    }

    @Test func aRelativeDirectoryForTemporaryFiles() async throws {
        let directory = try TemporaryDirectory()
        let outcome = try await shell(
            "TMPDIR=. $apus launch -n 2 bash -c \"cd /; echo \\$APUS_SOCKET; exec $rank fail hang 9 0\"",
            in: directory.path)
        #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
        #expect(outcome.lines.count == 2 && outcome.output.hasPrefix(directory.path + "/apus-"))
        #expect(try directory.names == [])
    }

    @Test(arguments: ["/no/such/directory", "no-such", "/etc/passwd", "/bin/ls", ""])
    func aDirectoryForTemporaryFilesThatIsNone(name: String) async throws {
        let outcome = try await shell("$apus launch -n 2 $rank fail hang 9 0", environment: ["TMPDIR": name])
        #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    }

    @Test func aWorkingDirectoryThatIsGone() async throws {
        let directory = try TemporaryDirectory()
        let outcome = try await shell(
            "rmdir '\(directory.path)'; TMPDIR=. $apus launch -n 2 $rank fail hang 9 0", in: directory.path)
        #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    }

    /// The short form of Scripts/limits.py.
    @Test(arguments: ["-v 100000", "-v 150000", "-v 300000", "-v 470000", "-n 8", "-n 20", "-n 24", "-n 32", "-n 64"])
    func littleMemoryOrFewFilesAreRefusedInOneLine(limit: String) async throws {
        for command in ["launch -n 2 true", "generate -n 2 --quiet --max-new-tokens 2 a b"] {
            let outcome = try await shell("ulimit \(limit); exec $apus \(command)")
            #expect(
                outcome.code == 0 && outcome.error.isEmpty
                    || [1, 127].contains(outcome.code) && outcome.errorLines.count == 1,
                "\(outcome.code): \(outcome.error)")
            // A model says by itself what it has no memory for.
            #expect(
                outcome.code == 0 || outcome.error.contains("ulimit") || outcome.error.contains("bytes"),
                "\(outcome.error)")
        }
    }

    @Test(arguments: [3, 6, 8, 10])
    func fewProcessesAreRefusedInOneLine(limit: Int) async throws {
        guard getuid() == 0 else { return }  // who is not has other processes that count
        let outcome = try await shell(
            "exec setpriv --reuid=61234 --regid=61234 --clear-groups prlimit --nproc=\(limit) $apus launch -n 2 true")
        #expect(
            outcome.code == 0 || outcome.error.contains("ulimit -u") && outcome.errorLines.count == 1,
            "\(outcome.code): \(outcome.error)")
        #expect(outcome.code <= 127)
    }
}
