import DequeModule

/// Which jobs wait, which worker holds which, and which are done. A pure value: it does no I/O, and the time comes from
/// whoever asks.
///
/// Jobs are added as the input is read, at most a window ahead of the oldest that is not done, and handed out the heaviest
/// first; one that half a window has passed goes before those. Once all are read, a worker holds at most its share of what
/// is left, by its pace, so that all end together; the last jobs are also given to who has none.
package struct WorkQueue: Sendable {
    package struct Policy: Sendable {
        /// Most jobs between the oldest that is not done and the last that was read.
        package var window: Int
        /// Whether jobs in flight are given to idle workers too, when no others are left. The first result counts.
        package var speculates: Bool
        /// Deaths of a worker that ran a job alone after which the job is given up.
        package var deathsAlone: Int

        package init(window: Int = .max, speculates: Bool = true, deathsAlone: Int = 2) {
            self.window = window
            self.speculates = speculates
            self.deathsAlone = deathsAlone
        }
    }

    package enum Answer: Sendable {
        case jobs([WorkLease])
        /// There may be some later.
        case wait
        /// All jobs are done.
        case over
    }

    struct Holding: Sendable {
        let rank: Int
        let attempt: Int
        let since: Double
    }

    struct Job: Sendable {
        let item: WorkItem
        var holdings: [Holding] = []
        /// Times that it was handed out.
        var tries = 0
        var deathsAlone = 0
    }

    struct Rank: Sendable {
        /// Attempts by the index of their jobs.
        var held: [Int: Int] = [:]
        /// Whether what it holds is under suspicion, and nothing may run beside it.
        var isApart = false
        var pace = RankPace()
    }

    let policy: Policy
    var jobs: [Int: Job] = [:]
    var ranks: [Int: Rank] = [:]
    var waiting = WaitingJobs()
    /// Jobs whose workers died with them, in groups that run apart from all others.
    var suspects: Deque<[Int]> = []
    /// Indices in the order of the input, from the oldest that is not done.
    private var order: Deque<Int> = []
    /// Ranks that have not asked yet. A job is kept back for each, so that one that started first does not do the work
    /// of all while the others start.
    private var expected: Set<Int>
    private var attempts = 0
    /// Jobs in the hands of ranks, a job of two counted twice.
    private var heldTotal = 0
    private(set) var rates = KnownRates()
    /// What idle ranks may be given too.
    var stragglers = StragglingJobs()
    package private(set) var isInputClosed = false
    /// Whether nothing is handed out any more.
    package private(set) var isDraining = false

    /// - Parameter ranks: workers that will ask, numbered from 0.
    package init(ranks: Int, policy: Policy = Policy()) {
        self.policy = policy
        expected = Set(0..<ranks)
        for rank in 0..<ranks { self.ranks[rank] = Rank() }
    }

    // MARK: Input

    /// Jobs that may be added now.
    package var room: Int { max(policy.window - order.count, 0) }

    /// Adds the next job of the input; indices grow.
    package mutating func add(_ item: WorkItem) {
        jobs[item.index] = Job(item: item)
        order.append(item.index)
        waiting.append(item.index, weight: item.weight)
    }

    package mutating func closeInput() { isInputClosed = true }

    /// Hands nothing out any more; what is in flight may be finished.
    package mutating func drain() { isDraining = true }

    /// Jobs that were added and are not done.
    package var unfinishedCount: Int { jobs.count }
    /// Whether all is done that will be.
    package var isOver: Bool {
        isDraining ? heldTotal == 0 : isInputClosed && jobs.isEmpty
    }

    // MARK: Workers

    /// Jobs for a worker that has room for `capacity` at once, what it holds included; from now on they are its to finish.
    package mutating func take(rank: Int, capacity: Int, at now: Double) -> Answer {
        if isOver || isDraining { return .over }
        expected.remove(rank)
        let held = heldCount(by: rank)
        if held == 0, let group = suspects.popFirst() {
            ranks[rank]?.isApart = true
            return .jobs(group.map { lease($0, to: rank, at: now) })
        }
        guard ranks[rank]?.isApart == false else { return .wait }
        let most = min(capacity, share(of: rank)) - held
        let free = waiting.count - expected.count
        var leases: [WorkLease] = []
        while leases.count < min(most, free), let index = next() { leases.append(lease(index, to: rank, at: now)) }
        if leases.isEmpty, held == 0 { leases = speculate(for: rank, upTo: capacity, at: now) }
        return leases.isEmpty ? .wait : .jobs(leases)
    }

    /// Whether the result counts: false for a job that the worker does not hold, or that another has finished before.
    package mutating func finish(_ index: Int, attempt: Int, rank: Int, at now: Double) -> Bool {
        guard ranks[rank]?.held[index] == attempt, let job = jobs.removeValue(forKey: index) else { return false }
        for holding in job.holdings {
            release(index, from: holding.rank)
            if holding.rank == rank { ranks[rank]?.pace.finish(after: now - holding.since) }
        }
        dropFinished()
        return true
    }

    /// What a worker has told of its tokens.
    package mutating func note(tokens: Int, rank: Int, at now: Double) {
        let before = ranks[rank]?.pace.rate
        ranks[rank]?.pace.note(tokens: tokens, at: now)
        rates.change(from: before, to: ranks[rank]?.pace.rate)
        if rates.isStale { rates = KnownRates(ranks.values.compactMap(\.pace.rate)) }
    }

    /// The rank will not ask any more.
    package mutating func leave(_ rank: Int) { expected.remove(rank) }

    /// The rank is gone for good, and holds nothing.
    package mutating func retire(_ rank: Int) {
        leave(rank)
        rates.change(from: ranks[rank]?.pace.rate, to: nil)
        ranks[rank] = nil
    }

    /// How many jobs the rank holds.
    package func heldCount(by rank: Int) -> Int { ranks[rank]?.held.count ?? 0 }

    /// Indices of what the rank holds, in order.
    package func held(by rank: Int) -> [Int] { (ranks[rank]?.held.keys).map { $0.sorted() } ?? [] }

    /// Whether the result of a worker's job has come from another meanwhile.
    package func isDone(_ index: Int) -> Bool { jobs[index] == nil }

    // MARK: -

    mutating func lease(_ index: Int, to rank: Int, at now: Double) -> WorkLease {
        attempts += 1
        jobs[index]?.holdings.append(Holding(rank: rank, attempt: attempts, since: now))
        if ranks[rank] != nil { heldTotal += 1 }
        ranks[rank]?.held[index] = attempts
        ranks[rank]?.pace.begin(at: now)
        jobs[index]?.tries += 1
        let item = jobs[index]?.item ?? WorkItem(index: index, payload: [])
        return WorkLease(item: item, attempt: attempts, tries: (jobs[index]?.tries ?? 1) - 1)
    }

    mutating func release(_ index: Int, from rank: Int) {
        if ranks[rank]?.held.removeValue(forKey: index) != nil { heldTotal -= 1 }
        if ranks[rank]?.held.isEmpty == true { ranks[rank]?.isApart = false }
    }

    mutating func dropFinished() {
        while let first = order.first, jobs[first] == nil { order.removeFirst() }
    }

    /// Whoever waits for long goes first: otherwise the window would empty before the shortest came to their turn.
    private mutating func next() -> Int? {
        let isLate = policy.window < .max && order.count > policy.window / 2
        return isLate ? waiting.takeOldest() : waiting.takeHeaviest()
    }

    /// Most jobs that a worker may hold: once all are read, its part of what is left, by the tokens that it makes a second.
    private func share(of rank: Int) -> Int {
        guard isInputClosed else { return .max }
        let usual = rates.mean ?? 1
        let own = ranks[rank]?.pace.rate ?? usual
        let all = rates.sum + usual * Double(ranks.count - rates.count)
        return max(Int((Double(jobs.count) * own / max(all, 1e-9)).rounded(.up)), 1)
    }
}
