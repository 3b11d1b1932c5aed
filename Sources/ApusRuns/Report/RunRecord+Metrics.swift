#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension RunRecord {
    /// What `--metrics` writes, for a scraper that reads files.
    package var metricsText: String {
        var metrics = MetricsText()
        addRun(to: &metrics)
        addRanks(to: &metrics)
        return metrics.text
    }

    private func addRun(to metrics: inout MetricsText) {
        metrics.add(
            "apus_run_info", .gauge, "What runs.",
            [
                (
                    [
                        ("version", version), ("instruction_set", instructionSet), ("model", model), ("input", input),
                        ("output", output ?? ""),
                    ], 1
                )
            ])
        metrics.add(
            "apus_run_start_time_seconds", .gauge, "When it started, in seconds since 1970.",
            (try? Date(startedAt, strategy: .iso8601))?.timeIntervalSince1970)
        metrics.add("apus_run_elapsed_seconds", .gauge, "Seconds since it started, until it ended.", seconds)
        metrics.add(
            "apus_run_ending", .gauge, "1 for how it ended, or running.",
            [Ending.running, .finished, .stopped, .failed].map {
                ([("ending", $0.rawValue)], $0 == ending ? 1 : 0)
            })
        metrics.add(
            "apus_run_exit_code", .gauge, "Exit status of the program, once it ends.",
            ending == .running ? nil : Double(exitCode))
        metrics.add(
            "apus_run_prompts", .gauge, "Prompts of the input, once they are counted.", prompts.map(Double.init))
        metrics.add(
            "apus_run_prompts_finished_total", .counter, "Prompts with a result, those of earlier runs included.",
            Double(finished))
        metrics.add(
            "apus_run_prompts_resumed_total", .counter, "Of those, results of earlier runs.", Double(resumed))
        metrics.add("apus_run_prompt_errors_total", .counter, "Results that are errors.", Double(errors))
        // Never less than before, also where a process died and took unfinished prompts with it.
        metrics.add(
            "apus_run_tokens_total", .counter, "New tokens, those of unfinished prompts included.",
            max(Double(tokens), ranks.reduce(0) { $0 + Double($1.tokens) }))
        metrics.add(
            "apus_run_prompt_tokens_total", .counter, "Tokens of the prompts that have results.", Double(promptTokens))
        metrics.add(
            "apus_run_tokens_per_second", .gauge, "New tokens by the time so far, loading included.", tokensPerSecond)
        metrics.add(
            "apus_run_tail_seconds", .gauge, "From when the first rank had no more to do until the end.",
            ending == .running ? nil : tailSeconds)
        metrics.add(
            "apus_run_step_base_seconds", .gauge, "What a step takes besides its tokens, fitted.",
            stepTime.baseMilliseconds / 1e3)
        metrics.add(
            "apus_run_step_token_seconds", .gauge, "What a token adds to a step, fitted.",
            stepTime.millisecondsPerToken / 1e3)
        let kinds = Set(["death", "hang", "retirement"] + events.map(\.kind)).sorted()
        metrics.add(
            "apus_run_incidents", .gauge, "Incidents that the record holds, the last thousand.",
            kinds.map { kind in ([("kind", kind)], Double(events.count { $0.kind == kind })) })
    }

    private func addRanks(to metrics: inout MetricsText) {
        func add(_ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: (Rank) -> Double) {
            metrics.add(
                "apus_run_rank_" + name, kind, help, ranks.map { ([("rank", String($0.rank))], value($0)) })
        }
        add("prompts_total", .counter, "Results of the rank that counted.") { Double($0.prompts) }
        add("tokens_total", .counter, "New tokens of the rank.") { Double($0.tokens) }
        add("in_flight", .gauge, "Prompts that the rank holds.") { Double($0.inFlight) }
        add("restarts_total", .counter, "Times that the rank was started again.") { Double($0.restarts) }
        add("steps_total", .counter, "Steps of the rank.") { Double($0.steps) }
        add("step_seconds_total", .counter, "Seconds that the rank spent in steps.") { $0.stepSeconds }
        add("longest_step_seconds", .gauge, "The rank's longest step.") { $0.longestStepSeconds }
        let states: [Rank.State] = [.loading, .running, .idle, .restarting, .gone]
        metrics.add(
            "apus_run_rank_state", .gauge, "1 for what the rank does.",
            ranks.flatMap { rank in
                states.map {
                    ([("rank", String(rank.rank)), ("state", $0.rawValue)], $0 == rank.state ? 1 : 0)
                }
            })
    }
}
