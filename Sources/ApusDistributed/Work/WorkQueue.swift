import DequeModule

/// Which jobs wait, which worker holds which, and which are done.
struct WorkQueue: Sendable {
    private var waiting: Deque<WorkItem>
    private var held: [Int: [Int: WorkItem]] = [:]
    private(set) var unfinishedCount: Int
    /// Ranks that have not asked yet. A job is kept back for each, so that one that started first does not do the work
    /// of all while the others start.
    private var expected: Set<Int>

    /// The jobs in the order in which to hand them out, to ranks below `ranks`.
    init(_ jobs: [WorkItem], ranks: Int) {
        waiting = Deque(jobs)
        unfinishedCount = jobs.count
        expected = Set(0..<ranks)
    }

    /// Up to `count` jobs, from now on the rank's to finish. None when there are no more, `nil` when some wait for a rank
    /// that is still starting: to be asked again then.
    mutating func take(upTo count: Int, rank: Int) -> [WorkItem]? {
        expected.remove(rank)
        let free = waiting.count - expected.count
        if free <= 0, !waiting.isEmpty { return nil }
        let taken = Array(waiting.prefix(max(min(count, free), 0)))
        waiting.removeFirst(taken.count)
        for item in taken { held[rank, default: [:]][item.index] = item }
        return taken
    }

    /// False if the rank does not hold the job, so that nothing counts twice.
    mutating func finish(_ index: Int, rank: Int) -> Bool {
        guard held[rank]?.removeValue(forKey: index) != nil else { return false }
        unfinishedCount -= 1
        return true
    }

    /// The rank will not ask any more.
    mutating func leave(_ rank: Int) { expected.remove(rank) }

    func held(by rank: Int) -> [Int] { (held[rank] ?? [:]).keys.sorted() }
}
