import ApusDistributed

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Hands every payload back reversed. `die INDEX`, `leave INDEX`: ends on taking that job, `slow INDEX` too, and takes time
/// for others; `idle RANK`: never asks; `hang`.
enum PoolWorker {
    static func work(_ arguments: [String]) async throws {
        let channel = try await WorkerChannel.connect()
        let special = arguments.count > 1 ? Int(arguments[1]) : nil
        if arguments.first == "idle", channel.rank == special { exit(7) }
        var tokens = 0
        while true {
            let jobs = try await channel.next(upTo: 2)
            if jobs.isEmpty { return }
            if arguments.first == "hang" { try await Task.sleep(for: .seconds(1000)) }
            for job in jobs {
                if job.index == special, arguments.first == "die" {
                    TestRank.say("about to die\n")
                    kill(getpid(), SIGKILL)
                }
                if job.index == special, arguments.first == "leave" { exit(0) }
                if arguments.first == "slow" {
                    if job.index == special { exit(5) }
                    try await Task.sleep(for: .milliseconds(100))
                }
                tokens += job.payload.count
                try channel.report(tokens: tokens)
                try await channel.submit(job.index, payload: job.payload.reversed())
            }
        }
    }

    /// A pool whose workers never finish.
    static func coordinate(_ program: String) async throws {
        let pool = WorkerPool(workers: 2, command: [program, "pool", "hang"])
        try await pool.run(jobs: [WorkItem(index: 0, payload: []), WorkItem(index: 1, payload: [])]) { _ in }
    }
}
