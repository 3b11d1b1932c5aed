import Synchronization

/// The files that tell of a run: a summary for programs, metrics for a scraper, a page for people.
///
/// They are beside the matter: what cannot be written is refused before the run, and no reason to spoil one that is done.
package final class RunReports: Sendable {
    package struct Paths: Sendable {
        package var summary: String?
        package var metrics: String?
        package var page: String?

        package init(summary: String? = nil, metrics: String? = nil, page: String? = nil) {
            self.summary = summary
            self.metrics = metrics
            self.page = page
        }
    }

    private let summary: ReportFile?
    private let metrics: ReportFile?
    private let page: ReportFile?
    /// Held while a file is written, so that no older state replaces the last one.
    private let isFinished = Mutex(false)

    /// Between two writings of the metrics.
    private static let interval = Duration.seconds(5)

    /// Throws `RunError` that names a file which cannot be written, or must not be.
    package init(_ paths: Paths, input: PromptInput, model: String, output: String?) throws(RunError) {
        func file(_ path: String?, _ flag: String) throws(RunError) -> ReportFile? {
            guard let path else { return nil }
            return try ReportFile(path, flag: flag)
        }
        summary = try file(paths.summary, "--summary")
        metrics = try file(paths.metrics, "--metrics")
        page = try file(paths.page, "--report")
        let files = [summary, metrics, page].compactMap(\.self)
        guard !files.isEmpty else { return }
        let read = [input.file].compactMap(\.self) + RunOutput.files(of: model)
        let results = try Self.files(ofOutput: output)
        for (index, file) in files.enumerated() {
            if let path = read.first(where: file.isAt) {
                throw RunError("\(file.name): is the file \(path), which is read; reports must go elsewhere")
            }
            if results.contains(where: file.isAt) {
                throw RunError("\(file.name): is where results go; reports must go elsewhere")
            }
            if files[..<index].contains(where: file.isSame) {
                throw RunError("\(file.name): is named for two reports; each needs a file of its own")
            }
        }
    }

    /// A run's own files: beside the output's target, where that is a link, and what shards have in common.
    private static func files(ofOutput output: String?) throws(RunError) -> [String] {
        guard let output, output != "-", case .file(let target) = try OutputPlace(output) else {
            return output.map { [$0] } ?? []
        }
        let folder = target.lastIndex(of: "/").map { target[...$0] } ?? ""
        return ["", ".partial", ".journal"].map { target + $0 } + [folder + ShardManifest.fileName]
    }

    package var isEmpty: Bool { summary == nil && metrics == nil && page == nil }

    /// Writes the metrics again and again until the task is cancelled. Says once where that fails.
    package func follow(
        _ record: @escaping @Sendable () -> RunRecord, remark: @escaping @Sendable (String) -> Void
    ) -> Task<Void, Never> {
        Task { [self] in
            guard let metrics, metrics.isReplaceable else { return }
            var hasFailed = false
            while !Task.isCancelled {
                do {
                    try isFinished.withLock { if !$0 { try metrics.write(record().metricsText) } }
                } catch {
                    if !hasFailed { remark("\(error)") }
                    hasFailed = true
                }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    /// Writes all of them. Returns a line for each that could not be written.
    package func finish(_ record: RunRecord) -> [String] {
        isFinished.withLock { isFinished in
            isFinished = true
            return write(record)
        }
    }

    /// The same where nothing has been written yet: before an end that waits for nothing.
    package func finishIfNeeded(_ record: RunRecord) {
        isFinished.withLock { isFinished in
            guard !isFinished else { return }
            isFinished = true
            _ = write(record)
        }
    }

    private func write(_ record: RunRecord) -> [String] {
        var complaints: [String] = []
        func write(_ file: ReportFile?, _ text: @autoclosure () -> String) {
            do { try file?.write(text()) } catch { complaints.append("\(error)") }
        }
        write(summary, record.summaryText)
        write(metrics, record.metricsText)
        write(page, record.reportPage)
        return complaints
    }
}
