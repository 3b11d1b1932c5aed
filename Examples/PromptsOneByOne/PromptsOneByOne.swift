// Each process continues its share of the prompts, one after the other.
//
//     swift build -c release && .build/release/apus launch -n 2 .build/release/PromptsOneByOne [MODEL]

import Apus

@main
struct PromptsOneByOne {
    static func main() async throws {
        let accelerator = try await Accelerator()
        let directory = CommandLine.arguments.dropFirst().first ?? DemoModel.directory ?? "."
        let tokenizer = try AutoTokenizer.from(pretrained: directory)
        let model = try AutoModelForCausalLM.from(pretrained: directory)
        let prompts = ["a dog", "a cat", "The old king", "Once there was", "a mouse"]

        let share = try accelerator.splitBetweenProcesses(prompts)
        var stories: [String] = []
        for prompt in share {
            let config = GenerationConfig(maxNewTokens: 40)
            let output = try await model.generate([tokenizer.encode(prompt)], config: config)
            stories.append(prompt + tokenizer.decode(output[0].tokenIDs, skipSpecialTokens: true))
        }
        for story in try await accelerator.gatherObject(stories) { accelerator.print(story) }
    }
}
