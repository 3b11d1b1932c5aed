// Each process takes a prompt, continues it, and takes another, until none is left.
//
//     swift build -c release && .build/release/apus launch -n 2 .build/release/PromptsByQueue [MODEL]

import Apus

@main
struct PromptsByQueue {
    static func main() async throws {
        let accelerator = try await Accelerator()
        let directory = CommandLine.arguments.dropFirst().first ?? DemoModel.directory ?? "."
        let tokenizer = try AutoTokenizer.from(pretrained: directory)
        let model = try AutoModelForCausalLM.from(pretrained: directory)
        let prompts = ["a dog", "a cat", "The old king", "Once there was", "a mouse"]

        let queue = accelerator.queue(prompts)
        var stories: [String] = []
        for try await prompt in queue {
            let config = GenerationConfig(maxNewTokens: 40)
            let output = try await model.generate([tokenizer.encode(prompt)], config: config)
            stories.append(prompt + tokenizer.decode(output[0].tokenIDs, skipSpecialTokens: true))
        }
        for story in try await accelerator.gatherObject(stories, of: queue) { accelerator.print(story) }
    }
}
