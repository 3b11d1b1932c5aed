extension HTMLReport {
    private static let intervals = 120
    /// Of more ranks, the table must do.
    private static let mostCharts = 64

    /// Tokens per second of all ranks together.
    var throughput: String {
        guard let rates = Throughput(record, intervals: Self.intervals) else {
            return section(
                "throughput", "Throughput", "<p class=\"none\">The run was too short for a curve over time.</p>\n")
        }
        let highest = rates.total.max() ?? 0
        let description =
            "\(ReportNumber.brief(record.tokensPerSecond)) tokens per second on average over "
            + "\(ReportNumber.duration(record.seconds)), \(ReportNumber.brief(highest)) at most."
        var spans: [ReportChart.Span] = []
        if let dispatch = record.firstDispatchSeconds {
            spans.append(ReportChart.Span(from: 0, to: dispatch, name: "loading"))
        }
        if hasTail {
            spans.append(
                ReportChart.Span(from: record.seconds - record.tailSeconds, to: record.seconds, name: "tail"))
        }
        let chart = ReportChart(
            id: "total", title: "New tokens per second, all ranks", description: description,
            interval: rates.interval, values: rates.total, largest: highest, spans: spans,
            marks: record.events.map { ($0.seconds, "\(ReportNumber.duration($0.seconds)): \($0.message)") })
        let marks = record.events.isEmpty ? "" : " Each mark is a failure."
        return section(
            "throughput", "Throughput",
            "<p>New tokens per second of all ranks, over the time since the start.\(marks)</p>\n"
                + "<figure>\n\(chart.svg)<figcaption>\(description)</figcaption>\n</figure>\n")
    }

    /// The same for each rank, all to one scale.
    var rankThroughput: String {
        guard record.ranks.count > 1, let rates = Throughput(record, intervals: Self.intervals / 2) else { return "" }
        let highest = rates.ranks.flatMap(\.self).max() ?? 0
        let figures = zip(record.ranks, rates.ranks).prefix(Self.mostCharts).map { rank, values in
            let own = record.events.filter { $0.rank == rank.rank }
            let mean = record.seconds > 0 ? Double(rank.tokens) / record.seconds : 0
            let chart = ReportChart(
                id: "rank-\(rank.rank)", title: "New tokens per second of rank \(rank.rank)",
                description:
                    "\(ReportNumber.brief(mean)) on average, \(ReportNumber.brief(values.max() ?? 0)) at most.",
                height: 130, interval: rates.interval, values: values, largest: highest,
                marks: own.map { ($0.seconds, "\(ReportNumber.duration($0.seconds)): \($0.message)") }, isSmall: true)
            return "<figure>\n<figcaption><b>Rank \(rank.rank)</b> \(ReportNumber.brief(mean)) tokens/s</figcaption>\n"
                + "\(chart.svg)</figure>\n"
        }
        let rest = record.ranks.count - figures.count
        let more = rest > 0 ? "<p class=\"none\">\(ReportNumber.count(rest)) more ranks are in the table.</p>\n" : ""
        return section(
            "rank-throughput", "Throughput of each rank",
            "<p>All to one scale.</p>\n<div class=\"multiples\">\n\(figures.joined())</div>\n\(more)")
    }
}
