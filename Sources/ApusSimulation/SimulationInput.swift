import ApusCheckpoints
import ApusRuns

extension SimulatedLoad {
    /// Bytes of text to a token, roughly: a simulation has no tokenizer.
    private static let bytesPerToken = 4

    /// The prompts of a file; those that do not say how many new tokens they want get `newTokens`.
    /// Throws `RunError` for a file that cannot be read, with the line.
    package init(file: String, newTokens: Int) throws {
        var reader = try PromptReader(.file(file))
        var prompts: [Prompt] = []
        while let line = try reader.next() {
            do {
                let prompt = try line.prompt()
                let own =
                    switch prompt.content {
                    case .tokenIDs(let ids): ids.count
                    case .text(let text): text.utf8.count / Self.bytesPerToken
                    case .chat: line.bytes.count / Self.bytesPerToken
                    }
                let new = try ConfigurationFile(file: file, object: prompt.settings).optionalPositive("max_new_tokens")
                prompts.append(Prompt(own: max(own, 1), new: new ?? newTokens))
            } catch {
                throw RunError("\(file), line \(line.number): \(error)")
            }
        }
        guard !prompts.isEmpty else { throw RunError("\(file) has no prompts") }
        self.init(prompts)
    }
}

extension SimulationPlan.StepTime {
    /// As a run's summary measured it. Throws `CheckpointError` for a file without.
    package init(summary path: String) throws {
        let file = try ConfigurationFile(path: path)
        guard let steps = try file.optionalObject("step_time"), try steps.int("steps") > 0 else {
            throw RunError("\(path) is no summary of a run that has made steps: it has no step_time")
        }
        self.init(
            base: max(try steps.double("base_milliseconds"), 0) / 1000,
            perToken: max(try steps.double("milliseconds_per_token"), 0) / 1000)
        guard base + perToken > 0 else { throw RunError("\(path): its steps took no time") }
    }
}
