import ApusRuns
import Testing

@Suite struct ReportMetricsTests {
    /// Reads the format as a scraper does: values by name and labels.
    private static func values(_ text: String) throws -> [String: Double] {
        var values: [String: Double] = [:]
        var (helped, typed): (Set<Substring>, Set<Substring>) = ([], [])
        #expect(text.hasSuffix("\n"))
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let words = line.split(separator: " ")
            if line.hasPrefix("# HELP ") {
                #expect(helped.insert(words[2]).inserted && words.count > 3, "\(line)")
            } else if line.hasPrefix("# TYPE ") {
                #expect(typed.insert(words[2]).inserted && ["gauge", "counter"].contains(words[3]), "\(line)")
                #expect((words[3] == "counter") == words[2].hasSuffix("_total"), "\(line)")
            } else {
                let name = line.prefix { $0 != "{" && $0 != " " }
                #expect(name.hasPrefix("apus_run_") && helped.contains(name) && typed.contains(name), "\(line)")
                let value = try #require(words.last.flatMap { Double($0) }, "\(line)")
                let key = String(line.dropLast((words.last?.count ?? 0) + 1))
                #expect(values.updateValue(value, forKey: key) == nil, "twice: \(line)")
            }
        }
        #expect(helped == typed)
        return values
    }

    @Test(arguments: [1, 8])
    func countsWhatTheRecordCounts(ranks: Int) throws {
        let record = ExampleRecord.troubled(ranks: ranks)
        let values = try Self.values(record.metricsText)
        #expect(values["apus_run_prompts"] == 1200 && values["apus_run_prompts_finished_total"] == 1200)
        #expect(values["apus_run_tokens_total"] == Double(record.tokens))
        #expect(values["apus_run_prompt_errors_total"] == 3 && values["apus_run_exit_code"] == 1)
        #expect(values[#"apus_run_ending{ending="finished"}"#] == 1)
        #expect(values[#"apus_run_ending{ending="running"}"#] == 0)
        #expect(values[#"apus_run_incidents{kind="death"}"#] == 1)
        #expect(values["apus_run_start_time_seconds"] == 1_772_600_767)
        for rank in record.ranks {
            #expect(values["apus_run_rank_tokens_total{rank=\"\(rank.rank)\"}"] == Double(rank.tokens))
            #expect(values["apus_run_rank_state{rank=\"\(rank.rank)\",state=\"idle\"}"] == 1)
        }
        #expect(values.keys.count { $0.hasPrefix("apus_run_rank_tokens_total") } == ranks)
    }

    @Test func labelsAreEscaped() throws {
        var record = ExampleRecord.run(ranks: 1)
        record.model = "a \"b\" \\ c\nd"
        let text = record.metricsText
        #expect(text.contains(#"model="a \"b\" \\ c\nd""#))
        _ = try Self.values(text)
    }

    /// A counter that goes back would look like a program that was started anew.
    @Test func whileItRunsThereIsNoEnd() throws {
        var record = ExampleRecord.run(ranks: 2)
        record.ending = .running
        record.prompts = nil
        record.tokens = 1
        let values = try Self.values(record.metricsText)
        #expect(values["apus_run_exit_code"] == nil && values["apus_run_tail_seconds"] == nil)
        #expect(values["apus_run_prompts"] == nil)
        #expect(values["apus_run_tokens_total"] == 9801)
        _ = try Self.values(RunRecord().metricsText)
    }
}
