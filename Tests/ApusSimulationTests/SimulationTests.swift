import ApusDistributed
import ApusRuns
import ApusSimulation
import ApusTestSupport
import Testing

@Suite struct SimulationTests {
    private func plan(_ workers: Int, batchSize: Int = 16) -> SimulationPlan {
        var plan = SimulationPlan(workers: workers, stepTime: .init(base: 0.05, perToken: 0.0048))
        plan.batchSize = batchSize
        return plan
    }

    private func run(_ plan: SimulationPlan, _ load: SimulatedLoad) -> SimulationResult {
        var simulation = Simulation(plan, load)
        return simulation.run()
    }

    /// One prompt after the other: the first step computes all of its own tokens, each later one a new one.
    @Test func aWorkerAloneTakesWhatItsStepsTake() {
        let load = SimulatedLoad([.init(own: 10, new: 3), .init(own: 1, new: 1)])
        let result = run(plan(1, batchSize: 1), load)
        // Four steps, of 10, 1, 1 and 1 tokens.
        let seconds = 0.2 + 13 * 0.0048
        #expect(abs(result.seconds - seconds) < 1e-9)
        #expect(abs(result.idealSeconds - result.seconds) < 1e-9 && result.tailSeconds == 0)
    }

    /// Three in two places: the third begins when the shorter one is done.
    @Test func placesAreFilledAsTheyBecomeFree() {
        let load = SimulatedLoad([.init(own: 1, new: 2), .init(own: 1, new: 4), .init(own: 1, new: 2)])
        let result = run(plan(1, batchSize: 2), load)
        #expect(abs(result.seconds - 4 * (0.05 + 2 * 0.0048)) < 1e-9)
    }

    @Test func drawsAreThoseThatWereAskedFor() {
        let load = SimulatedLoad(count: 10_000, newTokens: 40, seed: 7)
        let news = (0..<load.count).map { load[$0].new }
        #expect(news.min() == 20 && news.max() == 60)
        #expect(abs(Double(news.reduce(0, +)) / 10_000 - 40) < 0.5)
        var plan = plan(100)
        (plan.stragglers, plan.slowness, plan.failures) = (0.05, 3, 0.1)
        #expect(plan.slownesses.filter { $0 == 3 }.count == 5 && plan.deaths(within: 9).count == 10)
        #expect(plan.deaths(within: 9).values.allSatisfy { (0..<9).contains($0) })
    }

    /// Whatever becomes of workers, all prompts are done, and a run is the same each time.
    @Test(arguments: 0..<20) func everyPromptGetsItsResult(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        var plan = plan(
            1 + Int.random(in: 0..<12, using: &random), batchSize: 1 + Int.random(in: 0..<20, using: &random))
        (plan.stragglers, plan.slowness) = (Double.random(in: 0...1, using: &random), 3)
        (plan.failures, plan.restartSeconds) = (Double.random(in: 0...1, using: &random), 5)
        plan.seed = UInt64(seed)
        let load = SimulatedLoad(count: 1 + Int.random(in: 0..<3000, using: &random), newTokens: 12, seed: plan.seed)
        let (first, second) = (run(plan, load), run(plan, load))
        #expect(first.seconds == second.seconds && first.tailSeconds == second.tailSeconds)
        #expect(first.seconds > 0 && first.seconds.isFinite && first.tailSeconds <= first.seconds)
        #expect(first.efficiency <= 1 + 1e-9)
    }

    /// Slow workers, and some that die: what is lost is the end, and little else.
    @Test func manyWorkersStayBusy() {
        var plan = plan(256, batchSize: 64)
        (plan.stragglers, plan.slowness, plan.failures, plan.restartSeconds) = (0.05, 2, 0.01, 30)
        let result = run(plan, SimulatedLoad(count: 600_000, newTokens: 40, seed: 1))
        #expect(result.efficiency > 0.95, "\(result)")
        #expect(result.microsecondsPerResult < 100, "\(result)")
    }

    /// Thousands of workers are asked for no more than hundreds: what a result costs hardly depends on their number.
    @Test func aResultCostsTheSameHoweverManyWorkersThereAre() {
        func cost(_ workers: Int) -> Double {
            run(plan(workers, batchSize: 8), SimulatedLoad(count: workers * 80, newTokens: 8, seed: 1))
                .microsecondsPerResult
        }
        #expect(cost(4096) < 12 * cost(256) + 20)
    }

    @Test func aFileOfPromptsSaysWhatItWants() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            "prompts.jsonl",
            """
            {"prompt": "twelve bytes"}
            {"prompt_token_ids": [1, 2, 3, 4, 5], "max_new_tokens": 7}
            """)
        let load = try SimulatedLoad(file: file, newTokens: 9)
        #expect((0..<load.count).map { load[$0] } == [.init(own: 3, new: 9), .init(own: 5, new: 7)])
        let bad = try directory.write("bad.jsonl", #"{"prompt": 1}"#)
        #expect(throws: RunError.self) { try SimulatedLoad(file: bad, newTokens: 9) }
        let summary = try directory.write("summary.json", #"{"step_time": {"steps": 0}}"#)
        #expect(throws: RunError.self) { try SimulationPlan.StepTime(summary: summary) }
    }
}
