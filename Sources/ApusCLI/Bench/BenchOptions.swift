import Apus
import ApusCPU
import ApusCompute
import ArgumentParser

struct BenchModelOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Directory of a Hugging Face checkpoint; by default the demo model.", valueName: "dir"))
    var model: String?

    @Option(
        help: ArgumentHelp(
            "A config.json: random weights of that shape, which are written nowhere.", valueName: "config"))
    var synthetic: String?

    mutating func validate() throws {
        if model != nil, synthetic != nil { throw ValidationError("Give --model or --synthetic, not both.") }
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

    mutating func validate() throws {
        for (name, list) in [
            ("--num-processes", numProcesses), ("--batch-size", batchSize), ("--threads", threads ?? CountList([1])),
        ] {
            if let value = list.values.first(where: { !(1...4096).contains($0) }) {
                throw ValidationError("\(name) must be from 1 to 4096, but is \(value).")
            }
        }
    }

    /// All combinations, those of one kind of process together.
    var combinations: [BenchCombination] {
        var combinations: [BenchCombination] = []
        for processes in numProcesses.values {
            for threads in threads?.values ?? [max(CPUDevice.coreCount / processes, 1)] {
                for dtype in dtype.values {
                    for quantization in quantize.values {
                        combinations += batchSize.values.map {
                            BenchCombination(
                                processes: processes, threads: threads, batchSize: $0,
                                dtype: dtype.value.flatMap(DType.init(rawValue:)), quantization: quantization,
                                cacheType: cacheType.value.flatMap(DType.init(rawValue:)))
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

    @Option(help: ArgumentHelp("New tokens of each prompt.", valueName: "count"))
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
        for (name, value, least) in [
            ("--prompts", prompts, contexts == nil ? 1 : 0), ("--new-tokens", newTokens, 1), ("--rounds", rounds, 1),
            ("--waves", waves ?? 1, 1),
        ] where !(least...1_000_000).contains(value) {
            throw ValidationError("\(name) must be from \(least) to 1000000, but is \(value).")
        }
        if let waves, waves > 1000 { throw ValidationError("--waves must be at most 1000, but is \(waves).") }
        if contexts?.values.contains(0) == true { throw ValidationError("--contexts must be at least 1.") }
        if let rows = rows.values.first(where: { !(1...65_536).contains($0) }) {
            throw ValidationError("--rows must be from 1 to 65536, but is \(rows).")
        }
        if kernels, contexts != nil { throw ValidationError("Give --kernels or --contexts, not both.") }
    }
}
