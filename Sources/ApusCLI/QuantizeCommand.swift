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

struct QuantizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quantize",
        abstract: "Writes a checkpoint with its weights in another format: integers, or bfloat16.",
        discussion: """
            The new directory is one that every command loads like any other; it loads faster and is smaller. int4 first lets \
            the model write 16 texts of 256 tokens, and rounds its weights so that what they make of these changes least: far \
            better than --quantize int4, which has no time for that. int8 gives the very results of --quantize. The original may be a checkpoint in floating point or \
            in the codes of another tool, or a GGUF file, whose tokenizer and template come along. It appears under its \
            name only once it is complete.

            EXAMPLES
              apus quantize --model DIR --output DIR-int8 --format int8
              apus quantize --model DIR --output DIR-int4 --format int4
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
            "int8: a scale for each output. int4: also a grid for each 32 inputs; the last product is int8. bfloat16: what transformers loads.",
            valueName: "format"))
    var format: CheckpointFormat

    @Option(
        help: ArgumentHelp(
            "Of int4: what the model is to read while its weights are rounded: its own writing (self), a file of text, or none: each weight to the nearest, as --quantize does it. (default: self)",
            valueName: "self|none|file"))
    var calibration: CalibrationText?

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
        guard calibration == nil || calibration == CalibrationText.none || format == .int4 else {
            throw ValidationError("--calibration is of int4; \(format) needs none.")
        }
    }

    func run() async throws {
        let start = MonotonicClock.seconds
        let device = try CPUDevice(threads: threads)
        let path = try ModelPath().resolve(model)
        let moments = format == .int4 && calibration != CalibrationText.none ? InputMoments() : nil
        let quantizer = try CheckpointQuantizer(directory: path, as: format, by: device, moments: moments)
        var files = try GGUFTokenizerFiles.of(path)
        if GGUFFile.isOne(path) {
            let settings = try GenerationConfig(directory: path).json
            files.append(("generation_config.json", JSONValue.object(settings).indented + "\n"))
        }
        // Read while a signal still ends the process at once: somebody may be typing it.
        let text = try calibrationText(of: path)
        let line = RewrittenLine()
        let outcome: CheckpointQuantizer.Outcome
        do {
            outcome = try await Interruption.noted {
                defer { line.clear() }
                let staged = try quantizer.stage(output, replaces: force)
                if let moments { try await calibrate(path, moments, text, line) }
                return try quantizer.write(to: staged, maximumShardByteCount: maxShardSize.bytes, files: files) {
                    share in
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
        if let first = outcome.unread.first {
            let others = outcome.unread.count - 1
            StandardError.write(
                "\(model): nothing that was read came to \(first)\(others > 0 ? " and \(others) others" : ""): "
                    + "rounded to the nearest")
        }
        StandardError.write(
            "\(output): \(ByteSize(outcome.byteCount)) of \(format) from \(ByteSize(outcome.originalByteCount)), "
                + "\(outcome.files) file\(outcome.files == 1 ? "" : "s"), "
                + "\((MonotonicClock.seconds - start).written(1)) s")
    }

    /// Tokens of the file that `--calibration` names.
    private func calibrationText(of path: String) throws -> [Int]? {
        guard case .file(let file) = calibration else { return nil }
        guard let text = try FileContents.text(ifPresent: file, atMost: Self.mostText) else {
            throw RunError("\(file): no such file")
        }
        guard let tokenizer = try AutoTokenizer.ifPresent(in: path) else {
            throw RunError("\(path) has no tokenizer, which --calibration needs for a text")
        }
        let tokens = tokenizer.encode(text, addSpecialTokens: false)
        let wanted = Calibration.sequences * Calibration.length
        guard tokens.count > 1 else { throw RunError("\(file): too few tokens, of which nothing can be learned") }
        if tokens.count < wanted, !quiet {
            StandardError.write("\(file): has only \(tokens.count) of \(wanted) tokens")
        }
        return tokens
    }

    /// Bytes of a text: many times what is read of it.
    private static let mostText = 1 << 20

    private func calibrate(
        _ path: String, _ moments: InputMoments, _ text: [Int]?, _ line: RewrittenLine
    ) async throws {
        do {
            try await Calibration(directory: path, threads: threads).collect(moments, text: text) { [quiet] share in
                try Interruption.check()
                if !quiet { line.show("int4: reading, \((share * 100).written(0)) %") }
            }
        } catch let error as GenerationError {
            throw RunError("\(model): \(error); --calibration none rounds without running it")
        }
        if moments.isShort {
            throw RunError("\(model): no memory for what its weights read; --calibration none needs none")
        }
    }
}

/// What a model reads while its weights are rounded.
enum CalibrationText: Equatable, ExpressibleByArgument {
    case own, none
    case file(String)

    init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        self = argument == "self" ? .own : argument == "none" ? .none : .file(argument)
    }
}
