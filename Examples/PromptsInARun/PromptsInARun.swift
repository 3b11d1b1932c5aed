// A file of prompts, on two processes that this program starts of itself. Stopped in any way, it goes on when it is started
// again, and does nothing once it is done.
//
//     swift build -c release && .build/release/PromptsInARun prompts.jsonl results.jsonl [MODEL]

import Apus
import ApusRuns

@main
struct PromptsInARun {
    static func main() async throws {
        if WorkerProcess.isOne { return try await WorkerProcess.serve() }
        let arguments = CommandLine.arguments.dropFirst()
        guard let prompts = arguments.first, let results = arguments.dropFirst().first else {
            return print("PromptsInARun prompts.jsonl results.jsonl [MODEL]")
        }
        var settings = WorkerSettings(model: arguments.dropFirst(2).first ?? DemoModel.directory ?? ".")
        settings.processes = 2
        settings.overrides = GenerationConfig(maxNewTokens: 40)
        var options = RunOptions()
        options.output = results
        options.resume = true
        let run = GenerationRun(.file(prompts), settings: settings, options: options, observer: Log())
        let record = try await run.run()
        print("\(record.finished) results, \(record.finished - record.resumed) of them new, \(record.errors) errors")
    }

    struct Log: RunObserver {
        func remark(_ text: String) { print(text) }
        func incident(_ text: String) { print(text) }
        func failure(ofPrompt index: Int, _ error: String) { print("prompt \(index): \(error)") }
        func advanced() {}
    }
}
