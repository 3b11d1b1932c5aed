import ApusDistributed
import ApusRuns
import ArgumentParser

/// A run as the command makes it: with progress, signals, a summary, reports, and the exit code that tells how it ended.
struct CommandRun {
    private let run: GenerationRun
    private let files: FileOptions
    private let progress: ProgressLine
    private let reports: RunReports

    init(_ run: GenerationRun, files: FileOptions, progress: ProgressLine, reports: RunReports) {
        self.run = run
        self.files = files
        self.progress = progress
        self.reports = reports
    }

    /// Tries that the reports can be written. Throws as `run` does.
    static func reports(
        _ options: ReportOptions, _ files: FileOptions, input: PromptInput, model: String, output: String?
    ) throws -> RunReports {
        do {
            return try RunReports(options.paths, input: input, model: model, output: output)
        } catch {
            guard files.isToFile else { throw error }
            throw RunExitCode.telling(error)
        }
    }

    /// Throws `ExitCode` where all is said, or what went wrong.
    func run() async throws {
        let reports = CommandReports(reports, of: run)
        let signals = files.isToFile ? RunSignals(run, lastWords: reports.finish(exitCode:)) : nil
        let watch = files.isToFile || self.reports.isEmpty ? nil : reports.watch()
        defer { withExtendedLifetime((signals, watch)) {} }
        do {
            try await runReported()
        } catch {
            reports.finish(error)
            throw error
        }
        reports.finish(nil)
    }

    private func runReported() async throws {
        let drawing = progress.follow { [run] in run.record }
        defer { drawing.cancel() }
        let following = reports.follow({ [run] in run.record }, remark: progress.write)
        defer { following.cancel() }
        let record: RunRecord
        do {
            record = try await run.run()
        } catch {
            progress.end()
            guard files.isToFile, !(error is ExitCode) else { throw error }
            throw RunExitCode.telling(error)
        }
        progress.end()
        if !files.quiet { StandardError.write(Self.summary(record)) }
        if files.verbose { StandardError.write(Self.transfers(record)) }
        if record.ending == .stopped {
            let all = record.prompts.map { " of \($0)" } ?? ""
            StandardError.write(
                "Error: ended early; \(record.finished)\(all) results are kept, and --resume goes on from there")
            throw RunExitCode.tryAgain
        }
        if record.errors > 0 { throw ExitCode.failure }
    }

    /// What went from device to device.
    private static func transfers(_ record: RunRecord) -> String {
        func sum(_ bytes: KeyPath<RunRecord.Rank, Int>) -> Int { record.ranks.reduce(0) { $0 + $1[keyPath: bytes] } }
        return "transfers: kv \(sum(\.kvBytes)) B, hidden \(sum(\.hiddenBytes)) B, choices \(sum(\.choiceBytes)) B"
    }

    /// The last line of a run. The time includes loading the model.
    private static func summary(_ record: RunRecord) -> String {
        let seconds = max(record.seconds, 1e-9)
        return "tokens/sec: \(ProgressLine.rounded(Double(record.tokens) / seconds)), time elapsed: "
            + "\(ProgressLine.rounded(seconds)) s, num_tokens \(record.tokens), prompts \(record.finished)"
    }
}
