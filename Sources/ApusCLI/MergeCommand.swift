import ApusDistributed
import ApusRuns
import ArgumentParser

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Makes one file of the results of all shards.",
        discussion: """
            Checks that every shard of the directory is there and whole, and writes what one run would have written. If any \
            is missing, it is named as an array job counts (3,7-9), nothing is written, and the exit status is 75; it is 1 \
            if some results are errors.

            EXAMPLES
              apus generate --model DIR --prompts in.jsonl --shard 0/8 --output parts
              apus merge parts --output out.jsonl
            """)

    @Argument(
        help: ArgumentHelp("Directory that --output named for the shards.", valueName: "dir"), completion: .directory)
    var directory: String

    @Option(help: ArgumentHelp("File for the results; - for standard output.", valueName: "file"), completion: .file())
    var output: String

    @Flag(help: "Replace what --output names.")
    var force = false

    func run() throws {
        Signal.ignoreFileLimit()
        let errors: Int
        do {
            var merge = try ShardMerge(directory)
            errors = try merge.write(to: output, force: force)
            if !merge.unchecked.isEmpty {
                StandardError.write(
                    "parts whose journals are gone, so that only their lines were counted: "
                        + ShardMerge.arraySpecification(merge.unchecked))
            }
        } catch {
            throw RunExitCode.telling(error)
        }
        if errors > 0 { throw ExitCode.failure }
    }
}
