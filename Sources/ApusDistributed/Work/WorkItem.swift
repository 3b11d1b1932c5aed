/// One job of a pool: its place in the input and whatever the worker needs, encoded.
package struct WorkItem: Sendable, Hashable {
    package let index: Int
    package let payload: [UInt8]

    package init(index: Int, payload: [UInt8]) {
        self.index = index
        self.payload = payload
    }
}

/// What came of a job, and which worker did it.
package struct WorkResult: Sendable, Hashable {
    package let rank: Int
    package let index: Int
    package let payload: [UInt8]

    package init(rank: Int, index: Int, payload: [UInt8]) {
        self.rank = rank
        self.index = index
        self.payload = payload
    }
}
