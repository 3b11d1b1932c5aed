import ApusRuns

/// Tells a person at the command line what happens in a run.
struct CommandObserver: RunObserver {
    let progress: ProgressLine
    let quiet: Bool

    func remark(_ text: String) { if !quiet { progress.write(text) } }

    func incident(_ text: String) { remark(text) }

    func failure(ofPrompt index: Int, _ error: String) { progress.write("prompt \(index): \(error)") }

    func advanced() { progress.advance() }
}
