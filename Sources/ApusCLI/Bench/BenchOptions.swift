import Apus
import ApusBench
import ApusCPU
import ApusCompute
import ApusHub
import ApusRuns
import ArgumentParser

struct BenchModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Directory of a Hugging Face checkpoint, or the name of one in the hub's cache, org/name@revision; by default the demo model.",
            valueName: "model"),
        completion: .directory)
    var model: String?

    @Option(
        help: ArgumentHelp(
            "A config.json: random weights of that shape, which are written nowhere.", valueName: "config"),
        completion: .file())
    var synthetic: String?

    mutating func validate() throws {
        if model != nil, synthetic != nil { throw ValidationError("Give --model or --synthetic, not both.") }
    }

    var benchModel: BenchModel {
        get throws {
            if let synthetic { return try BenchModel(randomWeightsOf: synthetic) }
            if let model { return try BenchModel(directory: ModelPath().resolve(model), name: model) }
            return try BenchModel(directory: DemoModel.directoryOfCommand(), name: "the demo model")
        }
    }
}

struct BenchVariedOptions: ParsableArguments {
    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("Processes.", valueName: "counts"))
    var numProcesses = CountList([1])

    @Option(
        help: ArgumentHelp(
            "Threads of each process; by default the cores divided by the processes.", valueName: "counts"))
    var threads: CountList?

    @Option(help: ArgumentHelp("Prompts in flight at once in each process.", valueName: "counts"))
    var batchSize = CountList([1, 64])

    @Option(help: ArgumentHelp("Types of the weights in products; auto is the checkpoint's own.", valueName: "types"))
    var dtype = DTypeList([.auto])

    @Option(
        help: ArgumentHelp(
            "Roundings of the weights in products to integers: none, int8, int4.", valueName: "formats"))
    var quantize = QuantizationList([nil])

    @Option(
        name: .customLong("kv-cache"),
        help: "Type in which keys and values are kept; auto is bfloat16 for weights of bfloat16, else float32.")
    var cacheType = ModelOptions.CacheChoice.auto

    @OptionGroup(title: "Devices")
    var devices: DeviceOptions

    mutating func validate() throws {
        try check("--num-processes", numProcesses.values, in: Self.countBounds)
        try check("--batch-size", batchSize.values, in: Self.countBounds)
        try check("--threads", threads?.values ?? [], in: Self.countBounds)
    }

    /// All combinations, those of one kind of process together.
    var combinations: [BenchCombination] {
        var combinations: [BenchCombination] = []
        for processes in numProcesses.values {
            for threads in threads?.values.map(Int?.init) ?? [nil] {
                for dtype in dtype.values {
                    for quantization in quantize.values {
                        combinations += batchSize.values.map {
                            BenchCombination(
                                processes: processes, threads: threads, batchSize: $0,
                                dtype: dtype.value.flatMap(DType.init(rawValue:)), quantization: quantization,
                                cacheType: cacheType.value.flatMap(DType.init(rawValue:)),
                                devices: devices.settings)
                        }
                    }
                }
            }
        }
        return combinations
    }

    /// For the kernels' benchmark: how the checkpoint's elements are kept, and what products are made of.
    func kernelFormats(of model: BenchModel) -> [(source: DType, format: WeightFormat)] {
        dtype.values.flatMap { choice in
            let dtype = choice.value.flatMap(DType.init(rawValue:)) ?? model.storedType
            return quantize.values.compactMap { quantization in
                ((quantization ?? model.quantization)?.format ?? WeightFormat(dtype)).map { (dtype, $0) }
            }
        }
    }
}

struct BenchMeasuredOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Prompts of a round; 0 for none.", valueName: "count"))
    var prompts = 100

    @Option(
        help: ArgumentHelp(
            "As many prompts as this times the prompts in flight, instead of --prompts.", valueName: "count"))
    var waves: Int?

    @Option(
        name: [.customLong("new-tokens"), .customLong("max-new-tokens")],
        help: ArgumentHelp("New tokens of each prompt.", valueName: "count"))
    var newTokens = 100

    @Option(help: ArgumentHelp("Rounds of each combination; figures are medians over them.", valueName: "count"))
    var rounds = 3

    @Option(
        help: ArgumentHelp(
            "Tokens of prompts that run alone to time the prefill; 0 for none.", valueName: "counts"))
    var prefill = CountList([512])

    @Option(
        help: ArgumentHelp(
            "First also one sequence at a time with contexts of these lengths.", valueName: "counts"))
    var contexts: CountList?

    @Flag(help: "Instead of the model: the products of its shapes.")
    var kernels = false

    @Option(help: ArgumentHelp("Rows of the products of --kernels.", valueName: "counts"))
    var rows = CountList([1, 4, 16, 64, 128])

    @Flag(help: "Let prompts share the keys and values of what they begin with alike. Off, so that all work is done.")
    var sharePrefixes = false

    /// Lengths of the prompts that run alone.
    var prefills: [Int] { prefill.values.filter { $0 > 0 } }

    /// Prompts of a round, a million at most.
    func prompts(_ combination: BenchCombination) -> Int {
        waves.map { min($0 * combination.batchSize * combination.processes, 1_000_000) } ?? prompts
    }

    mutating func validate() throws {
        try check("--prompts", [prompts], in: (contexts == nil ? 1 : 0)...1_000_000)
        try check("--new-tokens", [newTokens], in: 1...1_000_000)
        try check("--rounds", [rounds], in: 1...1_000_000)
        try check("--waves", [waves], in: 1...1000)
        try check("--contexts", contexts?.values ?? [], in: 1...1 << 30)
        try check("--rows", rows.values, in: 1...65_536)
        if kernels, contexts != nil { throw ValidationError("Give --kernels or --contexts, not both.") }
    }
}
