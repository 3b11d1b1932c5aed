/// Jobs in flight by when their holders will probably be done, the last first; found anew at most ten times a second,
/// however many ranks ask.
struct StragglingJobs: Sendable {
    struct Entry: Sendable {
        let index: Int
        let attempt: Int
        /// When the holder will probably be done; infinite for one that is stuck.
        let due: Double
    }

    /// Sorted: the last to be done stands at the end, where it is taken from.
    fileprivate(set) var entries: [Entry] = []
    fileprivate var foundAt = -Double.infinity

    fileprivate static let lifetime = 0.1
}

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
        if now - stragglers.foundAt >= StragglingJobs.lifetime { findStragglers(own: own, at: now) }
        var leases: [WorkLease] = []
        while leases.count < count, let entry = stragglers.entries.last, entry.due - now > Self.worthwhile * own {
            stragglers.entries.removeLast()
            guard let job = jobs[entry.index], job.holdings.count == 1, job.holdings[0].attempt == entry.attempt,
                job.holdings[0].rank != rank
            else { continue }
            leases.append(lease(entry.index, to: rank, at: now))
        }
        return leases
    }

    private mutating func findStragglers(own: Double, at now: Double) {
        stragglers.foundAt = now
        stragglers.entries = jobs.compactMap { index, job in
            guard job.holdings.count == 1, let holding = job.holdings.first, ranks[holding.rank]?.isApart == false
            else { return nil }
            let due = due(holding, own: own, ownRate: rates.mean, at: now)
            return StragglingJobs.Entry(index: index, attempt: holding.attempt, due: due)
        }
        stragglers.entries.sort { ($0.due, $0.index) < ($1.due, $1.index) }
    }

    /// When the holder will probably be done, by its usual time, or by its pace where it has finished nothing yet.
    private func due(_ holding: Holding, own: Double, ownRate: Double?, at now: Double) -> Double {
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
        return age > max(Self.overdue * max(usual, own), Self.leastOverdue) ? .infinity : holding.since + usual
    }
}
