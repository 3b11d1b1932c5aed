import Apus
import ApusBench
import ApusCPU
import ApusJSON
import ApusModels
import ApusRuns
import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures how fast a model runs here, and what share of this machine's limits that is.",
        discussion: """
            Ten opening lines, ten times over, are continued by 100 tokens each, end tokens ignored; tokens/s count real new \
            tokens over the time from when all processes have loaded to the last result. Lists are separated by commas, \
            and every combination is run in processes of its own.

            The limit at batch B is 1 / max(weight bytes / bandwidth, B * operations of a token / peak) steps/s, from the \
            read bandwidth and the arithmetic peak of this machine, measured around each round. Run nothing else \
            meanwhile.

            EXAMPLES
              apus bench
              apus bench --model DIR --batch-size 1,4,16,64 --dtype bfloat16,float32 --svg bench.svg
              apus bench --model DIR -n 1,2 --threads 1 --json bench.json
              apus bench --model DIR --quantize none,int8,int4
              apus bench --synthetic config.json --contexts 128,512,2048,8192 --prompts 0
              apus bench --model DIR --contexts 128,1024,8192 --batch-size 1,8,64 --waves 1 --svg growth.svg
              apus bench --model DIR --kernels
            """)

    @OptionGroup(title: "Model")
    var source: BenchModelOptions

    @OptionGroup(title: "What is varied")
    var varied: BenchVariedOptions

    @OptionGroup(title: "What is measured")
    var measured: BenchMeasuredOptions

    @Option(help: ArgumentHelp("File for all settings and figures as JSON.", valueName: "file"), completion: .file())
    var json: String?

    @Option(help: ArgumentHelp("File for plots over what was varied.", valueName: "file"), completion: .file())
    var svg: String?

    func run() async throws {
        let instructionSet = try InstructionSet.selected()
        var report = BenchReport(
            model: try source.benchModel, settings: settings, instructionSet: instructionSet,
            contextLengths: measured.contexts?.values ?? [], version: BuildDescription.version,
            commit: BuildDescription.commit)
        try describe(report)

        // What cannot be written is noticed before the long part.
        let jsonOutput = try json.map { path throws(RunError) in try OutputDescriptor(creating: path) }
        let svgOutput = try svg.map { path throws(RunError) in try OutputDescriptor(creating: path) }
        let failures =
            measured.kernels ? try runKernels(&report) : try await runModel(&report, instructionSet)
        try jsonOutput?.write((report.json.serialized + "\n").utf8)
        try svgOutput?.write(report.svg.utf8)
        if failures > 0 { throw ExitCode.failure }
    }

    private var settings: JSONObject {
        [
            "prompts": .integer(measured.prompts), "waves": measured.waves.map { .integer($0) } ?? .null,
            "new_tokens": .integer(measured.newTokens), "rounds": .integer(measured.rounds),
            "prefill": .array(measured.prefills.map { .integer($0) }), "share_prefixes": .bool(measured.sharePrefixes),
        ]
    }

    private func describe(_ report: BenchReport) throws {
        let host = HostDescription.current
        let out = OutputDescriptor.standardOutput
        try out.write(
            """
            machine: \(host.processor), \(host.cores) cores, \(report.instructionSet), \
            \((Double(MachineMemory.total) / Double(1 << 30)).written(1)) GiB
            model: \(report.model.name), \(report.model.writtenParameterCount) parameters in products


            """.utf8)
    }

    // MARK: The model

    private func runModel(_ report: inout BenchReport, _ instructionSet: InstructionSet) async throws -> Int {
        let progress = RewrittenLine()
        var benchmark = Benchmark(report.model, instructionSet: instructionSet)
        benchmark.newTokens = measured.newTokens
        benchmark.rounds = measured.rounds
        benchmark.sharesPrefixes = measured.sharePrefixes
        benchmark.workerArguments = [BenchWorkerCommand.name]
        var failures = 0
        if measured.contexts != nil {
            failures += try await runContexts(&report, benchmark, progress)
            if measured.prompts == 0, measured.waves == nil { return failures }
            try OutputDescriptor.standardOutput.write("\n".utf8)
        }
        let table = try BenchTable(Self.heads(measured.prefills))
        for combination in varied.combinations {
            failures += try await attempt(combination, progress) {
                let result = try await benchmark.measure(
                    combination, prompts: measured.prompts(combination), prefills: measured.prefills,
                    announce: progress.show)
                progress.clear()
                try table.row(Self.cells(result, measured.prefills.count))
                report.runs.append(result)
            }
        }
        return failures
    }

    private func runContexts(
        _ report: inout BenchReport, _ benchmark: Benchmark, _ progress: RewrittenLine
    ) async throws -> Int {
        let lengths = report.contextLengths
        let table = try BenchTable([
            "procs", "threads", "weights", "context", "first s", "prefill/s", "tokens/s", "limit", "share %",
        ])
        var failures = 0
        // One sequence in each process, so batches are not varied.
        for combination in varied.combinations where combination.batchSize == varied.batchSize.values.first {
            var single = combination
            single.batchSize = 1
            failures += try await attempt(single, progress) {
                let result = try await benchmark.measure(
                    single, contexts: lengths, newTokens: min(measured.newTokens, 32), announce: progress.show)
                report.contexts.append(result)
                progress.clear()
                for (index, length) in lengths.enumerated() {
                    try table.row(Self.cells(result, index, length, report.model))
                }
            }
        }
        return failures
    }

    /// What one combination lacks leaves the others to go on. Returns the number of failures.
    private func attempt(
        _ combination: BenchCombination, _ progress: RewrittenLine, _ body: () async throws -> Void
    ) async throws -> Int {
        do {
            try await body()
            return 0
        } catch let error where !(error is RunError) {
            progress.clear()
            StandardError.write("\(combination): \(error)")
            return 1
        }
    }

    private static func heads(_ prefills: [Int]) -> [String] {
        ["procs", "threads", "batch", "weights", "tokens/s", "limit", "share %", "step ms", "p95 ms", "start s"]
            + prefills.flatMap { ["\($0) in s", "prefill/s"] } + ["load s", "MiB", "GB/s", "GFLOP/s"]
    }

    private static func cells(_ result: BenchMeasurement, _ prefills: Int) -> [String] {
        let combination = result.combination
        let prefills = (0..<prefills).flatMap { index -> [String] in
            guard let solo = result.solo(index), solo.error == nil else { return ["-", "-"] }
            return [solo.firstTokenSeconds.brief, solo.prefillTokensPerSecond.brief]
        }
        return [
            "\(combination.processes)", "\(combination.threads)", "\(result.inFlight)", result.format.description,
            result.tokensPerSecond.brief, result.limitTokensPerSecond.brief, (result.share * 100).written(1),
            (result.stepSeconds(0.5) * 1e3).brief, (result.stepSeconds(0.95) * 1e3).brief,
            result.firstTokenSeconds.written(2),
        ] + prefills + [
            result.loadSeconds.written(2), (result.memoryBytes / Double(1 << 20)).written(0),
            (result.limit.bandwidth / 1e9).written(1), (result.limit.peak / 1e9).written(0),
        ]
    }

    private static func cells(_ result: BenchMeasurement, _ index: Int, _ length: Int, _ model: BenchModel) -> [String]
    {
        let combination = result.combination
        let head = ["\(combination.processes)", "\(combination.threads)", result.format.description, "\(length)"]
        guard let solo = result.solo(index), solo.error == nil, let decode = solo.decodeTokensPerSecond else {
            return head + ["-", "-", "-", "-", "-"]
        }
        let limit = result.contextLimit(length, model)
        return head + [
            solo.firstTokenSeconds.brief, solo.prefillTokensPerSecond.brief, decode.brief, limit.brief,
            (decode / limit * 100).written(1),
        ]
    }

    // MARK: The kernels

    private func runKernels(_ report: inout BenchReport) throws -> Int {
        for (source, format) in varied.kernelFormats(of: report.model) {
            for threads in varied.threads?.values ?? [ProcessorCount.available] {
                let benchmark = try KernelBenchmark(
                    report.model, threads: threads, source: source, format: format,
                    seconds: 0.05 * Double(measured.rounds))
                try OutputDescriptor.standardOutput.write(
                    """
                    \(format), \(threads) threads: \((benchmark.bandwidth / 1e9).written(1)) GB/s, \
                    \((benchmark.peak.operationsPerSecond / 1e9).written(0)) GFLOP/s by \(benchmark.peak.instruction)

                    """.utf8)
                let table = try BenchTable([
                    "product        ", "outputs", "inputs", "rows", "µs", "GFLOP/s", "GB/s", "share %",
                ])
                for product in report.model.spec.products {
                    for result in try benchmark.measure(product, rows: measured.rows.values) {
                        report.kernels.append(result)
                        try table.row([
                            product.name, "\(product.outputs)", "\(product.inputs)", "\(result.rows)",
                            (result.seconds * 1e6).brief, (result.operationsPerSecond / 1e9).brief,
                            (result.bytesPerSecond / 1e9).brief, (result.share * 100).written(1),
                        ])
                    }
                }
                try OutputDescriptor.standardOutput.write("\n".utf8)
            }
        }
        return 0
    }
}
