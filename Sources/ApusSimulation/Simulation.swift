package import ApusDistributed
import ApusRuns
import HeapModule

/// A run of many workers, event by event, with the queue of real runs: deterministic but for what the queue costs.
package struct Simulation: ~Copyable {
    private enum What: Sendable {
        case stepEnd(life: Int)
        case death
        case restart
        case look
    }

    private struct Event: Sendable, Comparable {
        let time: Double
        let order: Int
        let worker: Int
        let what: What

        static func < (left: Event, right: Event) -> Bool { (left.time, left.order) < (right.time, right.order) }
        static func == (left: Event, right: Event) -> Bool { left.order == right.order }
    }

    private struct Worker {
        var engine: SteppingWorker
        var life = 0
        var isStepping = false
        var isAlive = true
        var isHungry = false
    }

    private let plan: SimulationPlan
    private let load: SimulatedLoad
    private let ideal: Double
    private var queue: WorkQueue
    private var workers: [Worker]
    private var events = Heap<Event>()
    private var order = 0
    private var now = 0.0
    private var added = 0
    private var hungry: [Int] = []
    private var isLookDue = false
    private var lastResult = 0.0
    private var firstIdle: Double?
    private var queueSeconds = Duration.zero

    /// Between two looks at those who have room, as in a coordinator.
    private static let lookSeconds = 0.1

    package init(_ plan: SimulationPlan, _ load: SimulatedLoad) {
        self.plan = plan
        self.load = load
        ideal = plan.idealSeconds(load)
        queue = WorkQueue(ranks: plan.workers, policy: .run(workers: plan.workers, batchSize: plan.batchSize))
        workers = plan.slownesses.map { Worker(engine: SteppingWorker(plan, slowness: $0)) }
    }

    package mutating func run() -> SimulationResult {
        measured { $0.fill() }
        for (worker, time) in plan.deaths(within: ideal).sorted(by: { $0.key < $1.key }) {
            schedule(.death, worker, at: time)
        }
        for worker in workers.indices { ask(worker) }
        while !queue.isOver, let event = events.popMin() {
            now = event.time
            handle(event)
        }
        return SimulationResult(
            seconds: lastResult, idealSeconds: ideal, tailSeconds: lastResult - (firstIdle ?? lastResult),
            coordinatorSeconds: queueSeconds / .seconds(1), results: load.count)
    }

    private mutating func handle(_ event: Event) {
        let worker = event.worker
        switch event.what {
        case .stepEnd(let life): if life == workers[worker].life { endStep(of: worker) }
        case .death:
            workers[worker].life += 1
            workers[worker].isAlive = false
            workers[worker].isStepping = false
            workers[worker].engine.die()
            measured { _ = $0.queue.lose(worker) }
            schedule(.restart, worker, at: now + plan.restartSeconds)
            look()
        case .restart:
            workers[worker].isAlive = true
            ask(worker)
        case .look:
            isLookDue = false
            look()
        }
    }

    private mutating func endStep(of worker: Int) {
        workers[worker].isStepping = false
        let finished = workers[worker].engine.end()
        let tokens = workers[worker].engine.tokens
        measured { simulation in
            let now = simulation.now
            for lease in finished
            where simulation.queue.finish(lease.item.index, attempt: lease.attempt, rank: worker, at: now) {
                simulation.lastResult = now
            }
            simulation.queue.note(tokens: tokens, rank: worker, at: now)
            if !finished.isEmpty { simulation.fill() }
        }
        if finished.isEmpty { step(worker) } else { ask(worker) }
    }

    /// Adds what the queue has room for.
    private mutating func fill() {
        while added < load.count, queue.room > 0 {
            // What is known of a prompt before it runs.
            queue.add(WorkItem(index: added, payload: [], weight: load[added].own))
            added += 1
        }
        if added == load.count, !queue.isInputClosed { queue.closeInput() }
    }

    private mutating func ask(_ worker: Int) {
        guard workers[worker].isAlive else { return }
        var answer = WorkQueue.Answer.wait
        measured { answer = $0.queue.take(rank: worker, capacity: $0.plan.capacity, at: $0.now) }
        if case .jobs(let leases) = answer {
            for lease in leases { workers[worker].engine.add(lease, load[lease.item.index]) }
        }
        let held = queue.heldCount(by: worker)
        if held == 0, firstIdle == nil { firstIdle = now }
        if held < plan.capacity { wait(worker) }
        step(worker)
    }

    /// The worker has room, and is looked at again in a moment.
    private mutating func wait(_ worker: Int) {
        if !workers[worker].isHungry {
            workers[worker].isHungry = true
            hungry.append(worker)
        }
        guard !isLookDue else { return }
        isLookDue = true
        schedule(.look, worker, at: now + Self.lookSeconds)
    }

    private mutating func look() {
        let ranks = hungry
        hungry = []
        for rank in ranks { workers[rank].isHungry = false }
        for rank in ranks { ask(rank) }
    }

    private mutating func step(_ worker: Int) {
        guard workers[worker].isAlive, !workers[worker].isStepping, let seconds = workers[worker].engine.begin() else {
            return
        }
        workers[worker].isStepping = true
        schedule(.stepEnd(life: workers[worker].life), worker, at: now + seconds)
    }

    private mutating func schedule(_ what: What, _ worker: Int, at time: Double) {
        order += 1
        events.insert(Event(time: time, order: order, worker: worker, what: what))
    }

    /// Counts the time that the queue takes.
    private mutating func measured(_ body: (inout Simulation) -> Void) {
        let start = ContinuousClock.now
        body(&self)
        queueSeconds += ContinuousClock.now - start
    }
}
