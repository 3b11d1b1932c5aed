import Apus
import ApusCPU
import ApusCheckpoints
import ApusGeneration
import ApusHub
import ApusJSON
import ApusModels
import ApusRuns
import ApusTokenizers
import ArgumentParser

struct QuantizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quantize",
        abstract: "Writes a checkpoint with its weights in another format: integers, or bfloat16.",
        discussion: """
            The new directory is one that every command loads like any other; with integers it gives the very results of \
            --quantize on the original, loads faster and is smaller. The original may be a checkpoint in floating point or \
            in the codes of another tool, or a GGUF file, whose tokenizer and template come along. It appears under its \
            name only once it is complete.

            EXAMPLES
              apus quantize --model DIR --output DIR-int8 --format int8
              apus quantize --model model-Q4_K_M.gguf --output DIR --format bfloat16
            """)

    @Option(
        help: ArgumentHelp(
            "Directory of a Hugging Face checkpoint, a GGUF file, or org/name@revision of the hub's cache.",
            valueName: "model"),
        completion: .directory)
    var model: String

    @Option(help: ArgumentHelp("Directory to make.", valueName: "dir"), completion: .directory)
    var output: String

    @Option(
        help: ArgumentHelp(
            "int8: a scale for each output. int4: also a multiplier for each 32 inputs; the last product is int8. bfloat16: what transformers loads.",
            valueName: "format"))
    var format: CheckpointFormat

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
        let path = try ModelPath().resolve(model)
        let quantizer = try CheckpointQuantizer(directory: path, as: format, by: device)
        var files = try GGUFTokenizerFiles.of(path)
        if GGUFFile.isOne(path) {
            let settings = try GenerationConfig(directory: path).json
            files.append(("generation_config.json", JSONValue.object(settings).indented + "\n"))
        }
        let line = RewrittenLine()
        let outcome: CheckpointQuantizer.Outcome
        do {
            outcome = try Interruption.noted {
                defer { line.clear() }
                return try quantizer.write(
                    to: output, replaces: force, maximumShardByteCount: maxShardSize.bytes, files: files
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
