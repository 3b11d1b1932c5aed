import DequeModule

/// Which jobs wait, which worker holds which, and which are done.
struct WorkQueue: Sendable {
    private var waiting: Deque<WorkItem>
    private var held: [Int: [Int: WorkItem]] = [:]
    private(set) var unfinishedCount: Int

    /// The jobs in the order in which to hand them out.
    init(_ jobs: [WorkItem]) {
        waiting = Deque(jobs)
        unfinishedCount = jobs.count
    }

    /// Up to `count` jobs, from now on the rank's to finish. None when none wait.
    mutating func take(upTo count: Int, rank: Int) -> [WorkItem] {
        let taken = Array(waiting.prefix(max(count, 0)))
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

    func held(by rank: Int) -> [Int] { (held[rank] ?? [:]).keys.sorted() }
}
