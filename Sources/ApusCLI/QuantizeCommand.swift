import Apus
import ApusCPU
import ApusHub
import ApusModels
import ApusRuns
import ArgumentParser

struct QuantizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quantize",
        abstract: "Writes a checkpoint with its weights rounded to integers, which loads faster and is smaller.",
        discussion: """
            The new directory is one that every command loads like any other, and gives the very results of --quantize \
            on the original. It appears under its name only once it is complete.

            EXAMPLES
              apus quantize --model DIR --output DIR-int8 --format int8
              apus generate --model DIR-int8 "a dog"
            """)

    @Option(
        help: ArgumentHelp(
            "Directory of a Hugging Face checkpoint, or org/name@revision of the hub's cache.", valueName: "model"),
        completion: .directory)
    var model: String

    @Option(help: ArgumentHelp("Directory to make.", valueName: "dir"), completion: .directory)
    var output: String

    @Option(
        help: ArgumentHelp(
            "int8: a scale for each output. int4: also a multiplier for each 32 inputs; the last product is int8.",
            valueName: "format"))
    var format: Quantization

    @Flag(help: "Replace a checkpoint that has the name already.")
    var force = false

    @Option(help: ArgumentHelp("Most bytes of a file of weights.", valueName: "size"))
    var maxShardSize = ByteSize(CheckpointQuantizer.maximumShardByteCount)

    @Option(help: ArgumentHelp("Threads; by default as many as there are cores.", valueName: "count"))
    var threads: Int?

    @Flag(name: .shortAndLong, help: "No progress, no summary.")
    var quiet = false

    mutating func validate() throws {
        try check("--threads", [threads], in: Self.countBounds)
    }

    func run() throws {
        let start = MonotonicClock.seconds
        let device = try CPUDevice(threads: threads)
        let quantizer = try CheckpointQuantizer(directory: ModelPath().resolve(model), as: format, by: device)
        let line = RewrittenLine()
        let outcome: CheckpointQuantizer.Outcome
        do {
            outcome = try Interruption.noted {
                defer { line.clear() }
                return try quantizer.write(
                    to: output, replaces: force, maximumShardByteCount: maxShardSize.bytes
                ) { share in
                    try Interruption.check()
                    if !quiet { line.show("\(format): \((share * 100).written(0)) %") }
                }
            }
        } catch is Interruption.Stop {
            throw ExitCode.failure
        }
        guard !quiet else { return }
        quantizer.remarks.forEach(StandardError.write)
        if !outcome.leftOut.isEmpty {
            StandardError.write("\(model): not copied: \(outcome.leftOut.joined(separator: ", "))")
        }
        StandardError.write(
            "\(output): \(ByteSize(outcome.byteCount)) of \(format) from \(ByteSize(outcome.originalByteCount)), "
                + "\(outcome.files) file\(outcome.files == 1 ? "" : "s"), "
                + "\((MonotonicClock.seconds - start).written(1)) s")
    }
}
