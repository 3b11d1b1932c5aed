import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension Coordinator {
    /// Seconds between two looks at the workers that say that this process was held itself.
    private static let longestPause = 1.0

    /// A process has ended. What it sent before is taken first.
    func ended(_ rank: Int, _ status: ExitStatus) async {
        await state.withLock { $0.server }?.drain(rank)
        let words = await state.withLock { $0.ranks }?.error.lastLine(of: rank)
        let delay: Double? = state.withLock { state in
            state.workers[rank].isAlive = false
            state.workers[rank].asking = nil
            if !state.workers.contains(where: \.isAlive) { allGone.open() }
            guard state.ending == nil, !(status.isSuccess && state.workers[rank].isLeaving) else {
                // Who has left in peace may have held the last job back from the others.
                state.queue.leave(rank)
                handOut(&state)
                return nil
            }
            return pool.policy.restarts
                ? bury(rank, status, words, &state) : endRun(rank, status, words, &state)
        }
        guard let delay else { return }
        try? await Task.sleep(for: .seconds(delay))
        revive(rank)
    }

    /// Gives a dead worker's jobs back and says what happened. Returns the seconds to wait before it is started again.
    private func bury(_ rank: Int, _ status: ExitStatus, _ words: String?, _ state: inout State) -> Double? {
        let loss = state.queue.lose(rank)
        let others = state.workers.indices.contains { $0 != rank && state.workers[$0].isAlive }
        let delay = state.workers[rank].health.die(holding: loss.held.count, othersWork: others, limits)
        let isHopeless = hasTooManyDeaths(&state)
        let wasSaid = state.workers[rank].isCondemned
        let event = cause(rank, status, state) + " " + Self.holding(loss.held)
        if delay == nil {
            state.queue.retire(rank)
            change(rank, .gone, &state)
            let times = state.workers[rank].health.deathsInARow
            if others {
                say(.retirement, rank, "\(event)\(Self.quoted(words)); it died \(times) times in a row and stays away")
            }
        } else {
            change(rank, .restarting, &state)
            if !wasSaid { say(.death, rank, "\(event)\(Self.quoted(words)); it is started again") }
        }
        let manner = wasSaid ? "finished no step in time" : Self.manner(status)
        let reason = "its worker \(manner) twice while it ran alone"
        let results = loss.condemned.map { item in
            WorkResult(
                rank: rank, index: item.index, attempt: 0,
                payload: observer.result(ofCondemned: item, reason: reason))
        }
        keep(results, &state)
        if state.queue.isOver { settleIfOver(&state) }
        if delay == nil, !state.workers.contains(where: { $0.isAlive || $0.state == .restarting }) {
            let last = "no worker is left: \(event)\(Self.quoted(words))"
            settle(.failure(DistributedError.rankFailed(rank, last)), &state)
        } else if isHopeless {
            settle(.failure(DistributedError.rankFailed(rank, "workers die whatever they are given")), &state)
        }
        handOut(&state)
        return state.ending == nil ? delay : nil
    }

    /// Where nobody is started again, a death with work left is the end.
    private func endRun(_ rank: Int, _ status: ExitStatus, _ words: String?, _ state: inout State) -> Double? {
        let held = state.queue.held(by: rank)
        let isLast = !state.workers.contains(where: \.isAlive)
        state.queue.leave(rank)
        handOut(&state)
        guard state.queue.unfinishedCount > 0, !status.isSuccess || !held.isEmpty || isLast else { return nil }
        let message = "rank \(rank) \(status) \(Self.holding(held))\(Self.quoted(words))"
        settle(.failure(DistributedError.rankFailed(rank, message)), &state)
        return nil
    }

    private func revive(_ rank: Int) {
        let ranks: RankSet? = state.withLock { state in
            guard state.ending == nil, !state.queue.isDraining else {
                change(rank, .gone, &state)
                return nil
            }
            let worker = state.workers[rank]
            state.workers[rank].earlier = worker.earlier + worker.report
            state.workers[rank].report = WorkerReport()
            state.workers[rank].reason = nil
            state.workers[rank].unanswered = 0
            state.workers[rank].isCondemned = false
            state.workers[rank].isAlive = true
            state.workers[rank].life += 1
            state.workers[rank].health.restart(at: now)
            change(rank, .loading, &state)
            return state.ranks
        }
        ranks?.restart(rank)
    }

    /// A worker whose connection is gone is of no more use; as a rule its process has just died.
    func brokeOff(_ rank: Int) async {
        let life = state.withLock { $0.workers[rank].life }
        try? await Task.sleep(for: .seconds(1))
        let ranks: RankSet? = state.withLock { state in
            let worker = state.workers[rank]
            return state.ending == nil && worker.isAlive && !worker.isLeaving && worker.life == life
                ? state.ranks : nil
        }
        ranks?.signal(SIGKILL, ranks: [rank])
    }

    /// Kills workers that finish nothing, and lets idle ones take what others will not finish soon.
    func lookAround() {
        state.withLock { state in
            guard state.ending == nil else { return }
            // Who was held itself, by Ctrl-Z for instance, has not heard what others said meanwhile.
            let wasHeld = now - state.lastLook > Self.longestPause
            state.lastLook = now
            for rank in state.workers.indices {
                if wasHeld { state.workers[rank].health.begin(at: now) }
                let worker = state.workers[rank]
                guard worker.isAlive, !worker.isCondemned,
                    worker.state == .loading || state.queue.heldCount(by: rank) > 0,
                    let seconds = worker.health.hangs(at: now, limits)
                else { continue }
                let held = state.queue.held(by: rank)
                state.workers[rank].isCondemned = true
                let what = worker.state == .loading ? "has said nothing while loading" : "has finished no step"
                let who =
                    held.isEmpty
                    ? "" : ", and \(Self.jobs(held)) wait\(held.count == 1 ? "s" : "") for it"
                say(.hang, rank, "rank \(rank) \(what) for \(Int(seconds)) s\(who): it is killed and started again")
                state.ranks?.signal(SIGKILL, ranks: [rank])
            }
            handOut(&state)
        }
    }

    // MARK: Words

    private func say(_ kind: PoolEvent.Incident.Kind, _ rank: Int, _ message: String) {
        observer.note(.incident(PoolEvent.Incident(kind: kind, rank: rank, message: message)))
    }

    private func cause(_ rank: Int, _ status: ExitStatus, _ state: State) -> String {
        state.workers[rank].reason.map { "rank \(rank) gave up (\($0))" } ?? "rank \(rank) \(status)"
    }

    private static func manner(_ status: ExitStatus) -> String { status == .exited(0) ? "left" : "\(status)" }

    private static func quoted(_ words: String?) -> String { words.map { "; its last words: \($0.prefix(300))" } ?? "" }

    private static func holding(_ held: [Int]) -> String {
        held.isEmpty ? "while it held no job" : "while it held \(jobs(held))"
    }

    /// "jobs 1, 2, 3 and 61 others".
    private static func jobs(_ held: [Int]) -> String {
        let named = held.prefix(held.count > 10 ? 3 : 10).map(String.init).joined(separator: ", ")
        let others = held.count > 10 ? " and \(held.count - 3) others" : ""
        return "\(held.count == 1 ? "job" : "jobs") \(named)\(others)"
    }
}
