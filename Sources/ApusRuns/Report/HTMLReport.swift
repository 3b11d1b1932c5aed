/// A run as a page for people: one file that asks for nothing else, needs no script, and follows the reader's colors.
struct HTMLReport {
    let record: RunRecord

    init(_ record: RunRecord) { self.record = record }

    var page: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
        <link rel="icon" href="data:,">
        <title>\(Self.escaped("\(headline) – apus"))</title>
        <style>\(Self.style)</style>
        </head>
        <body>
        <main>
        \(header)\(numbers)\(throughput)\(rankThroughput)\(rankTable)\(tail)\(failures)\(particulars)</main>
        </body>
        </html>

        """
    }

    // MARK: The head

    private var headline: String {
        let finished = ReportNumber.count(record.finished)
        guard let prompts = record.prompts else { return "\(finished) prompts finished" }
        return "\(finished) of \(ReportNumber.count(prompts)) prompts finished"
    }

    private var header: String {
        let failure = record.failure.map { "<p class=\"failure\">\(Self.escaped($0))</p>\n" } ?? ""
        return """
            <header>
            <p class="eyebrow">apus generate</p>
            <h1>\(headline)</h1>
            <p class="ending \(isWell ? "good" : "bad")">\(Self.escaped(endingText))</p>
            \(failure)</header>

            """
    }

    private var isWell: Bool { record.ending == .finished && record.errors == 0 }

    private var endingText: String {
        switch record.ending {
        case .running: "Still running"
        case .finished where record.errors == 0: "Finished"
        case .finished where record.errors == 1: "Finished; 1 result is an error"
        case .finished: "Finished; \(ReportNumber.count(record.errors)) results are errors"
        case .stopped: "Stopped before the end"
        case .failed: "Failed"
        }
    }

    private var numbers: String {
        let all = record.prompts.map { " / \(ReportNumber.count($0))" } ?? ""
        let resumed = record.resumed > 0 ? "\(ReportNumber.count(record.resumed)) of an earlier run" : ""
        return "<dl class=\"numbers\">\n"
            + number("Prompts", ReportNumber.count(record.finished), small: all, below: resumed)
            + number("Errors", ReportNumber.count(record.errors), isBad: record.errors > 0)
            + number(
                "Tokens/s", ReportNumber.brief(record.tokensPerSecond),
                below: "\(ReportNumber.count(record.tokens)) tokens")
            + number("Time", ReportNumber.duration(record.seconds))
            + number(
                "Ending", record.ending.rawValue, below: "exit status \(record.exitCode)", isBad: record.exitCode != 0)
            + "</dl>\n"
    }

    private func number(
        _ name: String, _ value: String, small: String = "", below: String = "", isBad: Bool = false
    ) -> String {
        let below = below.isEmpty ? "" : "<span class=\"below\">\(below)</span>"
        let small = small.isEmpty ? "" : "<small>\(small)</small>"
        return "<div\(isBad ? " class=\"bad\"" : "")><dt>\(name)</dt><dd>\(value)\(small)\(below)</dd></div>\n"
    }

    // MARK: The foot

    private var particulars: String {
        let step = record.stepTime
        let time =
            step.steps > 1
            ? "\(ReportNumber.brief(step.baseMilliseconds)) ms + \(ReportNumber.brief(step.millisecondsPerToken)) ms a "
                + "token, fitted over \(ReportNumber.count(step.steps)) steps"
            : nil
        let rows: [(String, String?)] = [
            ("Model", record.model), ("Prompts from", record.input),
            ("Results to", record.output ?? "standard output"), ("Started", record.startedAt),
            ("First prompt handed out", record.firstDispatchSeconds.map { "after \(ReportNumber.duration($0))" }),
            ("First result", record.firstResultSeconds.map { "after \(ReportNumber.duration($0))" }),
            ("Tokens of prompts", ReportNumber.count(record.promptTokens)), ("A step takes", time),
            ("Instruction set", record.instructionSet), ("Version", record.version),
        ]
        let items = rows.compactMap { name, value -> String? in
            guard let value, !value.isEmpty else { return nil }
            return "<dt>\(name)</dt><dd>\(Self.escaped(value))</dd>\n"
        }
        return section("run", "The run", "<dl class=\"particulars\">\n\(items.joined())</dl>\n")
    }

    // MARK: -

    func section(_ id: String, _ title: String, _ body: String) -> String {
        "<section aria-labelledby=\"\(id)\">\n<h2 id=\"\(id)\">\(title)</h2>\n\(body)</section>\n"
    }

    static func escaped(_ text: String) -> String { HTMLText.escaped(text) }
}

extension RunRecord {
    /// What `--report` writes.
    package var reportPage: String { HTMLReport(self).page }
}
