import Apus
import ApusCheckpoints
import ApusCompute
import ApusGeneration
import ApusHub
import ApusModels
import ApusRuns
import ApusTokenizers
import ArgumentParser

struct FileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("File of prompts, .txt or .jsonl; - for standard input.", valueName: "file"),
        completion: .file())
    var prompts: String?

    @Option(
        help: ArgumentHelp(
            "File for the results; by default standard output. They stand in FILE.partial until all are there.",
            valueName: "file"), completion: .file())
    var output: String?

    @Flag(help: "Replace what --output names, once all results are there.")
    var force = false

    @Flag(help: "Go on where an earlier run of this output ended; begin if there was none.")
    var resume = false

    @Flag(help: "With --resume: run prompts again whose results are errors.")
    var retryErrors = false

    @Flag(help: "Write results as they come, not in the order of the prompts.")
    var unordered = false

    @Option(
        help: ArgumentHelp(
            "Run one part of the prompts file, i of n, counted from 0; auto or auto/n takes what an array job says. "
                + "--output is a directory then, and apus merge makes one file of it.", valueName: "i/n"),
        transform: ShardChoice.init)
    var shard: ShardChoice?

    @Flag(help: "Write JSON lines even on a terminal.")
    var json = false

    @Option(
        help: ArgumentHelp("Directory for what each process writes, a file each.", valueName: "dir"),
        completion: .directory)
    var logDir: String?

    @Flag(name: .shortAndLong, help: "No progress, no summary.")
    var quiet = false

    @Flag(help: "Say also what each device holds, and how many bytes went from one to another.")
    var verbose = false

    mutating func validate() throws {
        if shard != nil {
            guard isToFile else { throw ValidationError("--shard goes with --output DIR.") }
            // It goes on anyway, and shards are put together in order.
            if force { throw ValidationError("--force does not go with --shard: remove the part to begin anew.") }
            if unordered { throw ValidationError("--unordered does not go with --shard.") }
        }
        if retryErrors, !resume, shard == nil { throw ValidationError("--retry-errors goes with --resume.") }
        if resume || retryErrors, !isToFile { throw ValidationError("--resume goes with --output FILE.") }
    }

    /// Whether results go elsewhere than to standard output.
    var isToFile: Bool { output.map { $0 != "-" } ?? false }

    var options: RunOptions {
        var options = RunOptions()
        options.output = output
        options.force = force
        options.resume = resume || shard != nil
        options.retriesErrors = retryErrors
        options.isUnordered = unordered
        options.isReadable = !isToFile && !json && OutputDescriptor.standardOutput.isTerminal
        options.logDirectory = logDir
        options.workerArguments = [WorkerCommand.name]
        options.version = BuildDescription.version
        return options
    }
}

struct ModelOptions: ParsableArguments {
    enum DTypeChoice: String, ExpressibleByArgument, CaseIterable {
        case auto, float32, bfloat16, float16

        var value: String? { self == .auto ? nil : rawValue }

        /// torch's other names are understood too.
        init?(argument: String) {
            guard
                let choice = Self(rawValue: argument)
                    ?? DType(torchName: argument).flatMap({ Self(rawValue: $0.rawValue) })
            else { return nil }
            self = choice
        }
    }

    enum CacheChoice: String, ExpressibleByArgument, CaseIterable {
        case auto, float32, bfloat16, int8

        var value: String? { self == .auto ? nil : rawValue }
    }

    @Option(
        help: ArgumentHelp(
            "Directory of a Hugging Face checkpoint, or the name of one in the hub's cache, org/name@revision; by default the demo model.",
            valueName: "model"),
        completion: .directory)
    var model: String?

    @Option(
        help: ArgumentHelp(
            "Directory or file with the tokenizer, in the place of the model's own.", valueName: "dir"),
        completion: .directory)
    var tokenizer: String?

    @Option(
        name: .customLong("override-kv"),
        help: ArgumentHelp(
            "A value in the place of a GGUF file's own, with a type of int, float, bool or str; may be given several times.",
            valueName: "key=type:value"))
    var overrides: [String] = []

    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("Processes to run on.", valueName: "count"))
    var numProcesses = 1

    @Option(help: ArgumentHelp("Prompts in flight at once in each process. (default: 64)", valueName: "count"))
    var batchSize: Int?

    @Option(
        help: ArgumentHelp(
            "Threads of each device; by default its cores divided by the processes.", valueName: "count"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Most tokens of a prompt and its continuation; by default what its scaling reaches, or twice its positions, and no more than there is memory for.",
            valueName: "tokens"))
    var contextLength: Int?

    @Option(help: "Type of the weights in products; auto is the checkpoint's own.")
    var dtype = DTypeChoice.auto

    @Option(
        help: ArgumentHelp(
            "Rounds the weights in products to integers: a half or a quarter of the memory of bfloat16, and faster.",
            valueName: "format"))
    var quantize: Quantization?

    @Option(
        name: .customLong("kv-cache"),
        help: "Type in which keys and values are kept; auto is bfloat16 for weights of bfloat16, else float32.")
    var cacheType = CacheChoice.auto

    mutating func validate() throws {
        do {
            try GGUFOverrides.set(overrides)
        } catch {
            throw ValidationError("\(error)")
        }
        try check("--num-processes", [numProcesses], in: Self.countBounds)
        try check("--batch-size", [batchSize], in: Self.countBounds)
        try check("--threads", [threads], in: Self.countBounds)
        try check("--context-length", [contextLength], in: 1...1 << 40)
    }

    /// The checkpoint's directory, found once for all processes. Says so when it is the demo model's.
    func directory(quiet: Bool) throws -> String {
        if let model { return try ModelPath().resolve(model) }
        let demo = try DemoModel.directoryOfCommand()
        if !quiet { StandardError.write("no --model given: using the demo model, which tells short stories") }
        return demo
    }

    /// That of the checkpoint, unless another is named.
    func tokenizer(of directory: String) throws -> Tokenizer {
        let place = tokenizer ?? directory
        guard let tokenizer = try AutoTokenizer.ifPresent(in: place) else {
            throw RunError("\(place) has no tokenizer")
        }
        return tokenizer
    }

    /// The model in this process, for one sequence at a time.
    func oneByOne(_ directory: String, _ devices: DeviceSettings, contextLength: Int?) throws -> CausalLanguageModel {
        try AutoModelForCausalLM.from(
            pretrained: directory, deviceMap: try devices.map, maxMemory: try devices.budgets,
            dtype: dtype.value.flatMap(DType.init(rawValue:)), quantization: quantize,
            cacheType: cacheType.value.flatMap(DType.init(rawValue:)), cpuDevices: devices.cpuDevices,
            threads: threads, batchSize: 1, contextLength: contextLength)
    }
}

/// The names and meanings are those of transformers' `generate`.
struct GenerationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Most new tokens of a prompt (default 100 unless the model sets a length).", valueName: "n"))
    var maxNewTokens: Int?

    @Option(help: ArgumentHelp("Most tokens of prompt and result together.", valueName: "n"))
    var maxLength: Int?

    @Option(help: ArgumentHelp("No end before this many new tokens.", valueName: "n"))
    var minNewTokens: Int?

    @Flag(inversion: .prefixedNo, help: "Draw tokens at random instead of taking the best.")
    var doSample: Bool?

    @Option(help: ArgumentHelp("Sampling: logits are divided by it.", valueName: "x"))
    var temperature: Double?

    @Option(help: ArgumentHelp("Sampling: only the best n tokens; 0 for all.", valueName: "n"))
    var topK: Int?

    @Option(help: ArgumentHelp("Sampling: only the best tokens that make up this probability.", valueName: "p"))
    var topP: Double?

    @Option(help: ArgumentHelp("Sampling: only tokens at least this fraction as probable as the best.", valueName: "p"))
    var minP: Double?

    @Option(help: ArgumentHelp("Sampling: only the tokens of typical information of this probability.", valueName: "p"))
    var typicalP: Double?

    @Option(help: ArgumentHelp("Makes tokens that already occurred less likely, above 1.", valueName: "x"))
    var repetitionPenalty: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Taken from the logits of tokens that were generated before.", valueName: "x"))
    var presencePenalty: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The same, for each time that they were generated.", valueName: "x"))
    var frequencyPenalty: Double?

    @Option(help: ArgumentHelp("No run of n tokens comes twice; 0 allows all.", valueName: "n"))
    var noRepeatNgramSize: Int?

    @Option(help: ArgumentHelp("Continuations of each prompt; above 1 with sampling or beams.", valueName: "n"))
    var numReturnSequences: Int?

    @Option(help: ArgumentHelp("Beams of a search for the most probable text; 1 for none.", valueName: "n"))
    var numBeams: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("Of beams: above 0 favours long texts.", valueName: "x"))
    var lengthPenalty: Double?

    @Flag(help: "Of beams: end once there are as many finished texts as beams.")
    var earlyStopping = false

    @Option(help: ArgumentHelp("Seed of the random numbers (default 0: a run can be repeated).", valueName: "n"))
    var seed: UInt64?

    @Option(
        name: .customLong("stop"), help: ArgumentHelp("Text that ends a result; may be repeated.", valueName: "text"))
    var stopStrings: [String] = []

    @Flag(help: "Report the log-probability of every new token.")
    var logprobs = false

    @Option(help: ArgumentHelp("Report the n most probable tokens in the place of every new one.", valueName: "n"))
    var topLogprobs: Int?

    @Flag(help: "Report the log-probability of every token of the prompt; --max-new-tokens 0 does no more.")
    var promptLogprobs = false

    @Flag(
        name: .customLong("no-special-tokens"), help: "Put no special tokens, such as a start of text, around prompts.")
    var omitsSpecialTokens = false

    func config() throws -> GenerationConfig {
        let config = GenerationConfig(
            maxNewTokens: maxNewTokens, maxLength: maxLength, minNewTokens: minNewTokens, doSample: doSample,
            temperature: temperature, topK: topK, topP: topP, minP: minP, typicalP: typicalP,
            repetitionPenalty: repetitionPenalty, presencePenalty: presencePenalty, frequencyPenalty: frequencyPenalty,
            noRepeatNgramSize: noRepeatNgramSize, numReturnSequences: numReturnSequences,
            numBeams: numBeams, lengthPenalty: lengthPenalty, earlyStopping: earlyStopping ? .whenFull : nil,
            stopStrings: stopStrings.isEmpty ? nil : stopStrings, seed: seed, logprobs: logprobs ? true : nil,
            topLogprobs: topLogprobs, promptLogprobs: promptLogprobs ? true : nil)
        do {
            try config.validate()
        } catch {
            throw ValidationError("\(error)")
        }
        return config
    }

    /// Settings that were given and change nothing.
    func warnings(_ config: GenerationConfig) -> [String] {
        guard config.doSample == nil else { return [] }
        let given: [(String, Bool)] = [
            ("--temperature", temperature != nil), ("--top-k", topK != nil), ("--top-p", topP != nil),
            ("--min-p", minP != nil),
        ]
        let names = given.filter(\.1).map(\.0).joined(separator: ", ")
        return names.isEmpty
            ? [] : ["\(names): used only for sampling; add --do-sample unless the model's settings have it"]
    }
}
