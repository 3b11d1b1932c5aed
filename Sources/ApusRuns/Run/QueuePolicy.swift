package import ApusDistributed

extension WorkQueue {
    /// Prompts that a worker has room for: some more than run at once wait in its engine, so that none of its places is empty
    /// while a job is on its way.
    package static func room(batchSize: Int) -> Int { batchSize + max(batchSize / 8, 1) }
}

extension WorkQueue.Policy {
    /// Prompts between the oldest without a result and the last that was read, for each that runs at once.
    private static let windowFactor = 16
    private static let leastWindow = 4096

    /// That of a run of so many workers with so many prompts at once each.
    package static func run(workers: Int, batchSize: Int) -> WorkQueue.Policy {
        let (atOnce, overflow) = workers.multipliedReportingOverflow(by: batchSize)
        let (window, tooMany) = atOnce.multipliedReportingOverflow(by: windowFactor)
        return WorkQueue.Policy(window: overflow || tooMany ? .max : max(window, leastWindow))
    }
}
