/// One job of a pool: its place in the input and whatever the worker needs, encoded.
package struct WorkItem: Sendable, Hashable {
    package let index: Int
    package let payload: [UInt8]
    /// How long it may take, in any unit: what weighs most is handed out first.
    package let weight: Int

    package init(index: Int, payload: [UInt8], weight: Int = 0) {
        self.index = index
        self.payload = payload
        self.weight = weight
    }
}

/// A job in the hands of a worker: the attempt tells this holding from every other of the run.
package struct WorkLease: Sendable, Hashable {
    package let item: WorkItem
    package let attempt: Int
    /// How often the job was handed out before.
    package let tries: Int

    package init(item: WorkItem, attempt: Int, tries: Int = 0) {
        self.item = item
        self.attempt = attempt
        self.tries = tries
    }
}

/// What came of a job, and which worker did it.
package struct WorkResult: Sendable, Hashable {
    package let rank: Int
    package let index: Int
    package let attempt: Int
    package let payload: [UInt8]

    package init(rank: Int, index: Int, attempt: Int, payload: [UInt8]) {
        self.rank = rank
        self.index = index
        self.attempt = attempt
        self.payload = payload
    }
}
