import ApusDistributed

/// Notes in each rank's log what becomes of it, and hands everything on.
struct LoggedRun: PoolObserver {
    let observer: any PoolObserver
    let logs: RankLogs

    func keep(_ results: [WorkResult]) throws { try observer.keep(results) }

    func result(ofCondemned item: WorkItem, reason: String) -> [UInt8] {
        observer.result(ofCondemned: item, reason: reason)
    }

    func note(_ event: PoolEvent) {
        switch event {
        case .state(let rank, .loading): logs.note("started again", of: rank)
        case .state(let rank, .gone): logs.note("has no more to do", of: rank)
        case .incident(let incident): logs.note(incident.message, of: incident.rank)
        case .state, .report: break
        }
        observer.note(event)
    }
}
