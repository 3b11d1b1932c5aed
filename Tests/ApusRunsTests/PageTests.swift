import ApusRuns
import Testing

@Suite struct ReportPageTests {
    /// Tags that stand where no others end, without those that need no end.
    private static func checkNesting(_ page: String) throws {
        let alone: Set<Substring> = ["meta", "link", "!DOCTYPE"]
        var open: [Substring] = []
        for part in page.split(separator: "<").dropFirst(page.hasPrefix("<") ? 0 : 1) {
            let tag = try #require(part.split(separator: ">", omittingEmptySubsequences: false).first)
            // In a style, it stands between a parent and its child.
            #expect(tag == "style" || part.count(where: { $0 == ">" }) == 1, "\(part)")
            if tag.hasPrefix("/") {
                #expect(open.popLast() == tag.dropFirst())
            } else if !tag.hasSuffix("/") {
                let name = tag.prefix { !$0.isWhitespace }
                if !alone.contains(name) { open.append(name) }
            }
        }
        #expect(open.isEmpty)
    }

    private static func ids(_ page: String) -> [Substring] {
        page.split(separator: " id=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
    }

    @Test(arguments: [1, 8])
    func showsTheRun(ranks: Int) throws {
        let page = ExampleRecord.run(ranks: ranks).reportPage
        try Self.checkNesting(page)
        #expect(Set(Self.ids(page)).count == Self.ids(page).count)
        #expect(page.contains("<h1>1,200 of 1,200 prompts finished</h1>"))
        #expect(page.contains("<p>No failures</p>"))
        #expect(page.contains("1 min 40 s"))
        // All ranks together, and each beside the others.
        #expect(page.split(separator: "<polyline").count - 1 == (ranks > 1 ? ranks + 1 : 1))
        #expect(page.split(separator: "<tr><th scope=\"row\">").count - 1 == (ranks > 1 ? 2 * ranks : 1))
        #expect(page.contains("<strong>8.00 s</strong>") == (ranks > 1))
        #expect(page.contains("<strong>8.0 %</strong>") == (ranks > 1))
        #expect(page.contains("90.0 %"))
    }

    @Test func textFromOutsideIsText() throws {
        let page = ExampleRecord.troubled(ranks: 2).reportPage
        try Self.checkNesting(page)
        #expect(!page.contains("<script") && !page.contains("<b>bold") && !page.contains("alert(\""))
        #expect(page.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;so&#39; &lt;/td&gt;"))
        // What turns text around or makes a terminal beep is spelled out.
        #expect(page.contains("\\u{202e}\\u{a}next") && !page.contains("\u{1b}") && !page.contains("\u{202e}"))
        #expect(page.contains("out &amp; about.jsonl") && !page.contains("No failures"))
        #expect(page.contains("<td>hang</td>"))
    }

    @Test func asksForNothingElse() {
        let page = ExampleRecord.troubled(ranks: 8).reportPage
        for word in ["http:", "https:", "src=", "@import", "url(", "<script"] {
            #expect(!page.contains(word), "\(word)")
        }
        #expect(page.contains("default-src 'none'") && page.contains("prefers-color-scheme: dark"))
    }

    @Test func aRunWithoutSamplesHasNoCurve() throws {
        for record in [RunRecord(), ExampleRecord.failed] {
            try Self.checkNesting(record.reportPage)
            #expect(!record.reportPage.contains("<polyline"))
            #expect(record.reportPage.contains("too short for a curve"))
        }
        let page = ExampleRecord.failed.reportPage
        #expect(page.contains("/models/none: &lt;no&gt; such &quot;directory&quot;") && page.contains("Failed"))
        #expect(page.contains("exit status 2") && !page.contains("No failures"))
    }

    /// A record may come from a file.
    @Test func numbersThatMakeNoSenseTrapNowhere() throws {
        var record = ExampleRecord.troubled(ranks: 3)
        record.seconds = .infinity
        record.tailSeconds = -.infinity
        record.firstDispatchSeconds = .nan
        record.samples[5].tokens = []
        record.samples[6].seconds = .nan
        record.samples[7].seconds = 1e300
        record.ranks[0].lastBusySeconds = .nan
        record.ranks[1].lastBusySeconds = -1e300
        record.ranks[2].longestStepSeconds = .infinity
        record.ranks[2].tokens = .min
        record.events[0].seconds = .nan
        record.stepTime.baseMilliseconds = .nan
        try Self.checkNesting(record.reportPage)
        _ = (record.summaryText, record.metricsText)
        record.seconds = 1e-300
        record.tailSeconds = 1
        try Self.checkNesting(record.reportPage)
    }
}
