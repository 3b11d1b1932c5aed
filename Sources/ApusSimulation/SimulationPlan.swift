import ApusDistributed
import ApusRuns

/// What is simulated: workers, how long their steps take, and what becomes of some of them.
package struct SimulationPlan: Sendable, Codable {
    /// A step of t tokens takes base + perToken · t seconds.
    package struct StepTime: Sendable, Codable {
        package var base: Double
        package var perToken: Double

        package init(base: Double, perToken: Double) {
            self.base = base
            self.perToken = perToken
        }

        func seconds(tokens: Int) -> Double { base + perToken * Double(tokens) }
    }

    package var workers: Int
    package var stepTime: StepTime
    /// Sequences of a step, of each worker.
    package var batchSize = 64
    /// Part of the workers that are slow, and how many times as long their steps take.
    package var stragglers = 0.0
    package var slowness = 1.0
    /// Part of the workers that die once.
    package var failures = 0.0
    /// From a death until the worker asks for jobs again.
    package var restartSeconds = 0.0
    package var seed: UInt64 = 0

    package init(workers: Int, stepTime: StepTime) {
        self.workers = workers
        self.stepTime = stepTime
    }

    /// Prompts that a worker has room for, as those of real runs.
    var capacity: Int { WorkQueue.room(batchSize: batchSize) }

    /// How many times as long each worker's steps take.
    package var slownesses: [Double] {
        var slow = [Double](repeating: 1, count: workers)
        for worker in drawn(share: stragglers, salt: 1) { slow[worker] = slowness }
        return slow
    }

    /// When each worker dies, in seconds from the start.
    package func deaths(within seconds: Double) -> [Int: Double] {
        var generator = SplitMix(seed: seed &+ 3)
        var deaths: [Int: Double] = [:]
        for worker in drawn(share: failures, salt: 2) {
            deaths[worker] = Double.random(in: 0..<max(seconds, 1e-9), using: &generator)
        }
        return deaths
    }

    private func drawn(share: Double, salt: UInt64) -> ArraySlice<Int> {
        var generator = SplitMix(seed: seed &* 31 &+ salt)
        return (0..<workers).shuffled(using: &generator).prefix(Int((share * Double(workers)).rounded()))
    }

    /// Seconds that the prompts would take if every worker's steps were full until the end and none died.
    package func idealSeconds(_ load: SimulatedLoad) -> Double {
        var work = 0.0
        for index in 0..<load.count {
            let prompt = load[index]
            work += Double(prompt.new) * (stepTime.base / Double(batchSize) + stepTime.perToken)
            work += stepTime.perToken * Double(prompt.own - 1)
        }
        return work / slownesses.reduce(0) { $0 + 1 / $1 }
    }
}
