package import ApusDistributed
import DequeModule
import HeapModule

/// What a worker's engine does, without a model: a step takes one token further each sequence that runs, and takes up those
/// that wait for a place.
package struct SteppingWorker: Sendable {
    private struct Running: Sendable, Comparable {
        /// The step in which it gets its last token.
        let last: Int
        let order: Int
        let lease: WorkLease

        static func < (left: Running, right: Running) -> Bool { (left.last, left.order) < (right.last, right.order) }
        static func == (left: Running, right: Running) -> Bool { left.order == right.order }
    }

    let stepTime: SimulationPlan.StepTime
    let batchSize: Int
    let slowness: Double
    private var running = Heap<Running>()
    private var waiting: Deque<(lease: WorkLease, prompt: SimulatedLoad.Prompt)> = []
    private var steps = 0
    private var order = 0
    /// New tokens so far.
    package private(set) var tokens = 0

    package init(_ plan: SimulationPlan, slowness: Double) {
        stepTime = plan.stepTime
        batchSize = plan.batchSize
        self.slowness = slowness
    }

    package mutating func add(_ lease: WorkLease, _ prompt: SimulatedLoad.Prompt) { waiting.append((lease, prompt)) }

    /// Begins a step and tells how long it takes; `nil` if there is nothing to do.
    package mutating func begin() -> Double? {
        var computed = running.count
        steps += 1
        while running.count < batchSize, let (lease, prompt) = waiting.popFirst() {
            order += 1
            running.insert(Running(last: steps + max(prompt.new, 1) - 1, order: order, lease: lease))
            computed += prompt.own
        }
        return running.isEmpty ? nil : stepTime.seconds(tokens: computed) * slowness
    }

    /// Ends the step: what is finished.
    package mutating func end() -> [WorkLease] {
        tokens += running.count
        var finished: [WorkLease] = []
        while let first = running.min, first.last <= steps {
            running.removeMin()
            finished.append(first.lease)
        }
        return finished
    }

    /// Forgets all, as a process that dies does.
    mutating func die() {
        running = Heap()
        waiting = []
    }
}
