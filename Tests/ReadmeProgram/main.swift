// The program of README's "In a program": ReadmeTests compares the two and runs this one.
import Apus

let directory = DemoModel.directory ?? "."

let accelerator = try await Accelerator()
let tokenizer = try AutoTokenizer.from(pretrained: directory)
let model = try AutoModelForCausalLM.from(pretrained: directory)

let share = try accelerator.splitBetweenProcesses(["a dog", "a cat", "a mouse"])
let outputs = try await model.generate(share.map { tokenizer.encode($0) })
let stories = tokenizer.batchDecode(outputs.map(\.tokenIDs), skipSpecialTokens: true)
for story in try await accelerator.gatherObject(stories) { accelerator.print(story) }
