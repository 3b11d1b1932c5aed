import ApusDistributed
import ApusJSON
import ApusRuns
import ApusSimulation
import ArgumentParser

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Predict how long a run of many workers takes, with the scheduling of real ones.",
        discussion: """
            Neither a model nor other machines are needed. A step takes A + B * t milliseconds, t being the tokens in it: one \
            of each sequence, and of a new prompt all of its own. A count of prompts stands for prompts with one token of \
            their own and between half and three halves of --new-tokens new ones.

            The efficiency is the time that full steps without deaths and without an end would take, over that of the run. \
            The tail begins when the first worker has nothing to do.

            EXAMPLES
              apus simulate --workers 8 --prompts 10000 --step-time 50:4.8 --new-tokens 40
              apus simulate --workers 1024 --prompts 10000000 --new-tokens 40 --step-time 50:4.8 --stragglers 0.05:2 \
            --failures 0.01 --restart-seconds 30 --json
              apus simulate --workers 64 --prompts prompts.jsonl --steps summary.json
            """)

    @Option(help: ArgumentHelp("Workers.", valueName: "count"))
    var workers: Int

    @Option(help: ArgumentHelp("How many prompts, or a file of them, a JSON object a line.", valueName: "count|file"))
    var prompts: String

    @Option(help: ArgumentHelp("New tokens of a prompt, in the mean.", valueName: "mean"))
    var newTokens = 100

    @Option(help: ArgumentHelp("Milliseconds of a step, and of each token in it.", valueName: "a:b"))
    var stepTime: NumberPair?

    @Option(
        help: ArgumentHelp("The --summary of a run, whose steps were measured.", valueName: "file"), completion: .file()
    )
    var steps: String?

    @Option(help: ArgumentHelp("Prompts in flight at once in each worker.", valueName: "count"))
    var batchSize = 64

    @Option(
        help: ArgumentHelp("Part of the workers that are slow, and how many times as slow.", valueName: "share:factor"))
    var stragglers: NumberPair?

    @Option(help: ArgumentHelp("Part of the workers that die once, at any time.", valueName: "share"))
    var failures = 0.0

    @Option(help: ArgumentHelp("Seconds from a death until the worker works again.", valueName: "seconds"))
    var restartSeconds = 0.0

    @Option(help: "Of what is drawn.")
    var seed: UInt64 = 0

    @Flag(help: "Really run it: workers that sleep through their steps.")
    var run = false

    @Flag(help: "One JSON object instead of lines.")
    var json = false

    mutating func validate() throws {
        try check("--workers", [workers], in: 1...1 << 16)
        try check("--batch-size", [batchSize], in: 1...1 << 16)
        try check("--new-tokens", [newTokens], in: 1...1 << 24)
        guard (stepTime == nil) != (steps == nil) else {
            throw ValidationError("one of --step-time and --steps says how long a step takes")
        }
        if let pair = stepTime, !(pair.first >= 0 && pair.second >= 0 && pair.first + pair.second > 0) {
            throw ValidationError("--step-time \(pair) is no time")
        }
        if let pair = stragglers, !((0...1).contains(pair.first) && pair.second >= 1) {
            throw ValidationError("--stragglers \(pair): a share from 0 to 1, then a factor of at least 1")
        }
        guard (0...1).contains(failures) else {
            throw ValidationError("--failures \(failures) is no share from 0 to 1")
        }
        if run { try check("--workers of --run", [workers], in: 1...256) }
        guard (0...1e9).contains(restartSeconds) else { throw ValidationError("--restart-seconds \(restartSeconds)") }
    }

    func run() async throws {
        var plan = SimulationPlan(workers: workers, stepTime: try measuredStepTime())
        plan.batchSize = batchSize
        plan.stragglers = stragglers?.first ?? 0
        plan.slowness = stragglers?.second ?? 1
        plan.failures = failures
        plan.restartSeconds = restartSeconds
        plan.seed = seed
        let load = try self.load()
        let result: SimulationResult
        if run {
            result = try await TestRun(plan, load).run([RunningProgram.pathForWorkers(), TestWorkerCommand.name])
        } else {
            var simulation = Simulation(plan, load)
            result = simulation.run()
        }
        let text = json ? JSONValue.object(result.json).serialized : Self.text(result)
        try OutputDescriptor.standardOutput.write((text + "\n").utf8)
    }

    private static func text(_ result: SimulationResult) -> String {
        """
        seconds      \(result.seconds.written(1))
        ideal        \(result.idealSeconds.written(1))
        efficiency   \((100 * result.efficiency).written(1)) %
        tail         \(result.tailSeconds.written(1)) s
        coordinator  \(result.microsecondsPerResult.written(2)) us a result, \((100 * result.coordinatorShare).written(2)) % of its time
        """
    }

    private func measuredStepTime() throws -> SimulationPlan.StepTime {
        if let stepTime { return .init(base: stepTime.first / 1000, perToken: stepTime.second / 1000) }
        return try .init(summary: steps ?? "")
    }

    private func load() throws -> SimulatedLoad {
        if let count = Int(prompts) {
            try check("--prompts", [count], in: 1...1 << 32)
            return SimulatedLoad(count: count, newTokens: newTokens, seed: seed)
        }
        return try SimulatedLoad(file: prompts, newTokens: newTokens)
    }
}

/// Two numbers with a colon between them.
struct NumberPair: ExpressibleByArgument, CustomStringConvertible {
    let first: Double
    let second: Double

    init?(argument: String) {
        let numbers = argument.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
        guard numbers.count == 2, let first = numbers[0], let second = numbers[1], first.isFinite, second.isFinite
        else {
            return nil
        }
        self.first = first
        self.second = second
    }

    var description: String { "\(first):\(second)" }
}

/// A worker of `apus simulate --run`, started by its coordinator.
struct TestWorkerCommand: AsyncParsableCommand {
    static let name = "_test-worker"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)

    func run() async throws {
        do {
            try await TestWorker.serve()
        } catch {
            // The coordinator says it, once for all workers.
            throw ExitCode.failure
        }
    }
}
