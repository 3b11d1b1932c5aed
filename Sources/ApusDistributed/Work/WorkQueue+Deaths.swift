import DequeModule

extension WorkQueue {
    /// What the death of a worker means for its jobs.
    package struct Loss: Sendable {
        /// Jobs that it held.
        package var held: [Int] = []
        /// Jobs given up: their workers died while they ran alone.
        package var condemned: [WorkItem] = []
    }

    /// A worker died. A death in company accuses nobody: its jobs run again in halves, each apart from all others, until
    /// one that kills is alone.
    package mutating func lose(_ rank: Int) -> Loss {
        leave(rank)
        var loss = Loss(held: held(by: rank))
        let isAlone = loss.held.count == 1
        var suspected: [Int] = []
        for index in loss.held {
            release(index, from: rank)
            jobs[index]?.holdings.removeAll { $0.rank == rank }
            guard var job = jobs[index] else { continue }
            if isAlone { job.deathsAlone += 1 }
            jobs[index] = job
            // Who else runs it will tell.
            guard job.holdings.isEmpty else { continue }
            if job.deathsAlone >= policy.deathsAlone {
                loss.condemned.append(job.item)
                jobs[index] = nil
            } else {
                suspected.append(index)
            }
        }
        let half = (suspected.count + 1) / 2
        for group in [Array(suspected.dropFirst(half)), Array(suspected.prefix(half))] where !group.isEmpty {
            suspects.prepend(group)
        }
        dropFinished()
        return loss
    }
}
