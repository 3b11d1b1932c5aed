extension HTMLReport {
    var rankTable: String {
        let heads = [
            "Rank", "Prompts", "Tokens", "Tokens/s", "Restarts", "Steps", "Longest step", "Time in steps",
        ]
        let rows = record.ranks.map { rank in
            let rate = record.seconds > 0 ? Double(rank.tokens) / record.seconds : 0
            let cells = [
                ReportNumber.count(rank.prompts), ReportNumber.count(rank.tokens), ReportNumber.brief(rate),
                ReportNumber.count(rank.restarts), ReportNumber.count(rank.steps),
                rank.steps > 0 ? ReportNumber.duration(rank.longestStepSeconds) : "–",
                ReportNumber.percent(rank.stepSeconds, of: rank.steps > 0 ? record.seconds : 0),
            ]
            let values = cells.map { "<td>\($0)</td>" }.joined()
            return "<tr><th scope=\"row\">\(rank.rank)</th>\(values)</tr>\n"
        }
        return section(
            "ranks", "Ranks", Self.table("ranks", heads, rows, caption: "What each rank did.", labelledBy: "ranks"))
    }

    var failures: String {
        var body = ""
        if record.errors > 0 {
            let results = record.errors == 1 ? "1 prompt has" : "\(ReportNumber.count(record.errors)) prompts have"
            body += "<p>\(results) an error as the result.</p>\n"
        }
        if let failure = record.failure {
            body += "<p>The run failed: \(Self.escaped(failure))</p>\n"
        }
        if record.events.isEmpty {
            body += record.failure == nil && record.errors == 0 ? "<p>No failures</p>\n" : ""
        } else {
            let rows = record.events.map { event in
                "<tr><td>\(ReportNumber.duration(event.seconds))</td><td>\(event.rank)</td>"
                    + "<td>\(Self.escaped(event.kind))</td><td class=\"message\">\(Self.escaped(event.message))</td></tr>\n"
            }
            body += Self.table(
                "failures", ["Time", "Rank", "Kind", "Message"], rows, caption: "What failed, and when.",
                labelledBy: "failures")
        }
        return section("failures", "Failures", body)
    }

    /// Wide ones are scrolled on their own, also with the keyboard.
    private static func table(
        _ kind: String, _ heads: [String], _ rows: [String], caption: String, labelledBy id: String
    ) -> String {
        let heads = heads.map { "<th scope=\"col\">\($0)</th>" }.joined()
        return """
            <div class="scroll" tabindex="0" role="region" aria-labelledby="\(id)">
            <table class="\(kind)">
            <caption>\(caption)</caption>
            <thead><tr>\(heads)</tr></thead>
            <tbody>
            \(rows.joined())</tbody>
            </table>
            </div>

            """
    }
}
