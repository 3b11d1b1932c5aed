extension HTMLReport {
    private static let mostBars = 64

    var hasTail: Bool { record.ranks.count > 1 && record.tailSeconds > 0 && record.seconds > 0 }

    /// From when the first rank had no more to do until the end, which no number of ranks makes shorter.
    var tail: String {
        let ending = record.ending == .running ? "now" : "the end"
        guard hasTail else {
            let reason =
                record.ranks.count > 1
                ? "No rank was without work before \(ending)." : "One rank has no tail: it has work until \(ending)."
            return section("tail", "The tail", "<p>\(reason)</p>\n")
        }
        let seconds = ReportNumber.duration(record.tailSeconds)
        let share = ReportNumber.percent(record.tailSeconds, of: record.seconds)
        return section(
            "tail", "The tail",
            "<p>The first rank ran out of work <strong>\(seconds)</strong> before \(ending): "
                + "<strong>\(share)</strong> of the time.</p>\n\(bars)")
    }

    /// How far each rank's work reached.
    private var bars: String {
        let ranks = record.ranks.prefix(Self.mostBars)
        let rows = ranks.map { rank in
            let end = thousandths(rank.lastBusySeconds)
            let start = min(thousandths(record.firstDispatchSeconds ?? 0), end)
            let idle = max(record.seconds - rank.lastBusySeconds, 0)
            return "<tr><th scope=\"row\">Rank \(rank.rank)</th><td class=\"bar\">"
                + "<svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
                + "<rect class=\"track\" width=\"1000\" height=\"10\"/><rect class=\"fill\" x=\"\(start)\" "
                + "width=\"\(end - start)\" height=\"10\"/></svg></td>"
                + "<td>\(ReportNumber.duration(idle))</td></tr>\n"
        }
        return """
            <table class="bars">
            <caption>When each rank had work, and how long it had none at the end.</caption>
            <thead><tr><th scope="col">Rank</th><th scope="col">From start to end</th><th scope="col">Idle</th></tr></thead>
            <tbody>
            \(rows.joined())</tbody>
            </table>

            """
    }

    /// Of the time of the run.
    private func thousandths(_ seconds: Double) -> Int {
        let share = seconds / record.seconds
        return share > 0 ? Int(min(share, 1) * 1000) : 0
    }
}
