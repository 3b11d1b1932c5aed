import Foundation

/// Loads damaged checkpoints and tokenizers: each must load cleanly or be refused with one clear line.
///
/// Usage: apus-fuzz [--cases N] [--seed N] [--first N]. A case depends on the seed and its number alone:
/// `--seed S --first N --cases 1` repeats one. After a crash the directory named at the start says in its file `case`
/// which it was, and holds the damaged files.
@main
struct Fuzz {
    static func main() {
        do {
            exit(try run(CommandLine.arguments.dropFirst()) ? 0 : 1)
        } catch {
            print(error)
            exit(2)
        }
    }

    /// Whether nothing was found.
    private static func run(_ arguments: ArraySlice<String>) throws -> Bool {
        var options: [String: UInt64] = ["--cases": 20_000, "--first": 0, "--seed": .random(in: 0..<1 << 32)]
        var arguments = arguments
        while let name = arguments.popFirst() {
            guard options[name] != nil, let number = arguments.popFirst().flatMap(UInt64.init) else {
                throw FuzzFinding(description: "usage: apus-fuzz [--cases N] [--seed N] [--first N]")
            }
            options[name] = number
        }
        let (seed, first, count) = (options["--seed"] ?? 0, Int(options["--first"] ?? 0), Int(options["--cases"] ?? 0))
        // In memory where the system has such a directory: a disk is ten times slower than the cases.
        let memory = URL(fileURLWithPath: "/dev/shm")
        let place =
            FileManager.default.isWritableFile(atPath: memory.path)
            ? memory : FileManager.default.temporaryDirectory
        let directory = place.appendingPathComponent("apus-fuzz-\(UUID().uuidString)")
        // Unbuffered, so that it is there after a crash.
        FileHandle.standardError.write(Data("seed \(seed), cases in \(directory.path)\n".utf8))

        let run = FuzzRun(sources: try FuzzSources.all(), seed: seed, directory: directory)
        let outcome = try run.run(first..<first + count)
        try FileManager.default.removeItem(at: directory)
        for finding in outcome.findings.prefix(20) { print(finding) }
        print(
            "\(count) cases: \(outcome.loaded) loaded, \(outcome.refused) refused, \(outcome.findings.count) findings; "
                + "slowest \(Int(outcome.slowest.seconds * 1000)) ms (case \(outcome.slowest.index)), "
                + "most memory \(outcome.hungriest.bytes >> 20) MiB (case \(outcome.hungriest.index))")
        return outcome.findings.isEmpty
    }
}
