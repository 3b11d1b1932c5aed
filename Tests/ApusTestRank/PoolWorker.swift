import ApusDistributed

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Hands every payload back reversed. `die INDEX`: ends by a signal on taking that job, every time; `die-once INDEX`, the
/// first time; `leave INDEX` ends in peace; `idle RANK` never asks; `stuck INDEX` never answers the first time; `slow RANK`
/// takes time for each job; `hang`.
enum PoolWorker {
    static func work(_ arguments: [String]) async throws {
        let channel = try await WorkerChannel.connect()
        let kind = arguments.first ?? ""
        let special = arguments.count > 1 ? Int(arguments[1]) : nil
        if kind == "idle", channel.rank == special { exit(7) }
        if kind == "refuse" {
            await channel.fail("there is no such model", endsRun: true)
            exit(1)
        }
        var report = WorkerReport()
        while true {
            let leases = try await channel.next(capacity: kind == "wide" ? 8 : 2)
            if leases.isEmpty { return }
            if kind == "hang" { try await Task.sleep(for: .seconds(1000)) }
            for lease in leases {
                let index = lease.item.index
                if index == special, kind == "die" || kind == "wide" || kind == "die-once" && lease.tries == 0 {
                    TestRank.say("about to die\n")
                    kill(getpid(), SIGKILL)
                }
                if index == special, kind == "stuck", lease.tries == 0 { try await Task.sleep(for: .seconds(1000)) }
                if index == special, kind == "leave" { exit(0) }
                if kind == "slow", channel.rank == special { try await Task.sleep(for: .milliseconds(40)) }
                report.tokens += lease.item.payload.count
                report.steps += 1
                try channel.report(report)
                try await channel.submit([(lease, lease.item.payload.reversed())])
            }
        }
    }

    /// A pool whose workers never finish.
    static func coordinate(_ program: String) async throws {
        let pool = WorkerPool(workers: 2, command: [program, "pool", "hang"])
        _ = try await pool.run(
            JobList([WorkItem(index: 0, payload: []), WorkItem(index: 1, payload: [])]), observer: Nobody())
    }

    private struct Nobody: PoolObserver {
        func keep(_ results: [WorkResult]) {}
    }
}
