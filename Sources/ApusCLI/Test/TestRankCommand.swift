import Apus
import ApusCompute
import ApusDistributed
import ApusRuns
import ArgumentParser

/// A process of `apus test`: makes every call that processes make together, and sees whether what comes is right.
struct TestRankCommand: AsyncParsableCommand {
    static let name = "_test-rank"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)

    @Option var timeout: Double
    @Option var model: String

    func run() async throws {
        let accelerator = try await Accelerator(timeout: .seconds(timeout))
        let checks = RankChecks(accelerator)
        try await checks.collectives()
        try await checks.sharing()
        try await checks.model(model)
        try await accelerator.waitForEveryone()
        if !checks.allAreFine { throw ExitCode.failure }
    }
}

/// Checks that all ranks make together; the first says what came of each.
private final class RankChecks {
    private let accelerator: Accelerator
    private let lines = CheckLines()
    private(set) var allAreFine = true
    private let rank: Int
    private let count: Int

    init(_ accelerator: Accelerator) {
        self.accelerator = accelerator
        rank = accelerator.processIndex
        count = accelerator.numProcesses
    }

    /// `body` says what is wrong; nothing if all is well. What it throws ends the ranks. Returns whether all is well on all of them.
    @discardableResult
    nonisolated(nonsending) private func check(
        _ name: String, _ body: () async throws -> String?
    ) async throws -> Bool {
        let clock = ContinuousClock()
        var complaint: String?
        let time = try await clock.measure { complaint = try await body() }
        let complaints = try await accelerator.gatherObject([complaint.map { "rank \(rank): \($0)" } ?? ""])
        let wrong = complaints.filter { !$0.isEmpty }
        allAreFine = allAreFine && wrong.isEmpty
        if accelerator.isMainProcess {
            let milliseconds = (time / .milliseconds(1)).written(1)
            let words = wrong.isEmpty ? "\(count) ranks, \(milliseconds) ms" : wrong.joined(separator: "; ")
            lines.write(name, words, isFine: wrong.isEmpty)
        }
        return wrong.isEmpty
    }

    nonisolated(nonsending) func collectives() async throws {
        try await check("barrier") {
            try await accelerator.waitForEveryone()
            return nil
        }
        try await check("gather objects") {
            // Of different lengths, none among them.
            let own = (0..<rank % 3).map { "\(rank).\($0)" }
            let due = (0..<count).flatMap { rank in (0..<rank % 3).map { "\(rank).\($0)" } }
            let all = try await accelerator.gatherObject(own)
            return all == due ? nil : "gathered \(all)"
        }
        try await check("broadcast objects") {
            for source in 0..<count {
                let word = try await accelerator.broadcastObject("from \(rank)", from: source)
                if word != "from \(source)" { return "got \(word) of rank \(source)" }
            }
            return nil
        }
        try await check("gather tensors") {
            let own = try HostTensor((0..<8).map { Float(rank * 8 + $0) }, shape: [2, 4])
            let all = try await accelerator.gather(own)
            let due = (0..<count * 8).map(Float.init)
            return try all.shape.dimensions == [2 * count, 4] && all.elements(as: Float.self) == due
                ? nil : "gathered a tensor of shape \(all.shape)"
        }
        try await check("reduce tensors") {
            // Long enough to go in pieces.
            let own = try HostTensor([Float](repeating: Float(rank + 1), count: 1 << 16))
            let sum = try await accelerator.reduce(own, .sum)
            let due = Float(count * (count + 1) / 2)
            return try sum.elements(as: Float.self).allSatisfy { $0 == due } ? nil : "the sum is not \(due)"
        }
    }

    nonisolated(nonsending) func sharing() async throws {
        let items = Array(0..<5 * count + 3)
        try await check("split") {
            let share = try accelerator.splitBetweenProcesses(items)
            let all = try await accelerator.gatherObject(Array(share))
            return all == items ? nil : "the shares together are \(all)"
        }
        try await check("queue") {
            var taken: [Int] = []
            for try await item in accelerator.queue(items) { taken.append(item) }
            let all = try await accelerator.gatherObject(taken)
            return all.sorted() == items ? nil : "what was taken is \(all.sorted())"
        }
    }

    /// The same prompts on every rank: the tokens must be the same.
    nonisolated(nonsending) func model(_ path: String) async throws {
        var model: CausalLanguageModel?
        let isThere = try await check("load") {
            do {
                model = try AutoModelForCausalLM.from(pretrained: path)
                return nil
            } catch {
                return "\(error)"
            }
        }
        guard isThere, let model else { return }
        try await check("generate") {
            let config = GenerationConfig(maxNewTokens: 16, doSample: false, eosTokenIDs: [])
            let tokens = try await model.generate([[1, 2, 3], [4, 5, 6, 7, 8]], config: config).map(\.tokenIDs)
            let all = try await accelerator.gatherObject([tokens])
            return all.allSatisfy { $0 == tokens } ? nil : "its tokens differ from those of others"
        }
    }
}
