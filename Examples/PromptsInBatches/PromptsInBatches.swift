// Prompts in padded batches, and tokens per second on the main process.
//
//     swift build -c release && .build/release/apus launch -n 2 .build/release/PromptsInBatches [MODEL]

import Apus

@main
struct PromptsInBatches {
    static func main() async throws {
        let accelerator = try await Accelerator()
        let directory = CommandLine.arguments.dropFirst().first ?? DemoModel.directory ?? "."
        let tokenizer = try AutoTokenizer.from(pretrained: directory)
        let model = try AutoModelForCausalLM.from(pretrained: directory)
        let prompts = (0..<40).map { ["a dog", "a small cat", "Once there was", "The old king"][$0 % 4] }

        try await accelerator.waitForEveryone()
        let start = ContinuousClock.now
        var tokens = 0
        let share = try accelerator.splitBetweenProcesses(prompts).items
        for first in stride(from: 0, to: share.count, by: 16) {
            let batch = Array(share[first..<min(first + 16, share.count)])
            let padding = Padding(.longest, multiple: 8, side: .left, tokenID: tokenizer.eosTokenID)
            let encoded = try tokenizer(batch, padding: padding)
            tokens += try await model.generate(encoded).reduce(0) { $0 + $1.tokenIDs.count }
        }
        let total = try await accelerator.gatherObject([tokens]).reduce(0, +)
        accelerator.print("tokens/sec: \(Double(total) / ((ContinuousClock.now - start) / .seconds(1)))")
    }
}
