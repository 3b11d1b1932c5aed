extension WorkQueue {
    /// Most of a job's usual time that may be left for a second try to be worth while, as parts of the idle worker's own.
    private static let worthwhile = 1.2
    /// Times the usual that a job has taken when it counts as stuck.
    private static let overdue = 2.0
    /// Seconds below which nothing is called stuck.
    private static let leastOverdue = 0.5

    /// Jobs of others for a worker that has none, when no others are left: those that it would finish before their holders.
    mutating func speculate(for rank: Int, upTo count: Int, at now: Double) -> [WorkLease] {
        guard policy.speculates, isInputClosed, waiting.isEmpty, suspects.isEmpty,
            let own = ranks[rank]?.pace.jobSeconds
        else { return [] }
        var candidates: [(index: Int, left: Double)] = []
        for (index, job) in jobs {
            guard job.holdings.count == 1, let holding = job.holdings.first, holding.rank != rank,
                ranks[holding.rank]?.isApart == false
            else { continue }
            let left = secondsLeft(holding, own: own, ownRate: ranks[rank]?.pace.rate, at: now)
            if left > Self.worthwhile * own { candidates.append((index, left)) }
        }
        candidates.sort { ($0.left, $0.index) > ($1.left, $1.index) }
        return candidates.prefix(count).map { lease($0.index, to: rank, at: now) }
    }

    /// How long the holder will probably take, by its usual time, or by its pace where it has finished nothing yet.
    private func secondsLeft(_ holding: Holding, own: Double, ownRate: Double?, at now: Double) -> Double {
        let pace = ranks[holding.rank]?.pace
        let usual: Double
        if let seconds = pace?.jobSeconds {
            usual = seconds
        } else if let rate = pace?.rate, let ownRate {
            usual = own * ownRate / max(rate, 1e-9)
        } else {
            usual = own
        }
        let age = now - holding.since
        return age > max(Self.overdue * max(usual, own), Self.leastOverdue) ? .infinity : usual - age
    }
}
