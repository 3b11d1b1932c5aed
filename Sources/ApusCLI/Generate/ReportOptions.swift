import ApusRuns
import ArgumentParser

/// What a run writes about itself, beside its results.
struct ReportOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "File for a summary of the run, a JSON object, at its end however it ends.", valueName: "file"),
        completion: .file())
    var summary: String?

    @Option(
        help: ArgumentHelp(
            "File for metrics as Prometheus reads them, replaced every 5 seconds and at the end.", valueName: "file"),
        completion: .file())
    var metrics: String?

    @Option(
        help: ArgumentHelp(
            "File for a report that a browser shows: throughput, ranks, the tail, failures; at the end.",
            valueName: "file"), completion: .file())
    var report: String?

    var paths: RunReports.Paths { RunReports.Paths(summary: summary, metrics: metrics, page: report) }
}
