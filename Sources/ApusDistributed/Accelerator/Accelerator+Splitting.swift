extension Accelerator {
    /// This process's share: contiguous, in order; the first `n % numProcesses` processes get one item more.
    ///
    /// `applyPadding` repeats the last of all items until all shares are equally long; the share remembers how often, so
    /// that `gatherObject(_:of:)` and `gather(_:of:)` give back exactly one result an item. Nothing is sent or waited for.
    ///
    /// Throws `DistributedError` (`.unsplittable`) if the values of a dictionary have different numbers of items.
    public func splitBetweenProcesses<Items: Splittable>(
        _ items: Items, applyPadding: Bool = false
    ) throws -> Share<Items.Portion> {
        let rule = SplitRule(count: try Self.itemCount(of: items), ranks: numProcesses)
        let range = rule.range(of: processIndex)
        let padding = applyPadding ? rule.padding(of: processIndex) : 0
        return Share(items: try items.portion(range, padding: padding), range: range, padding: padding)
    }

    /// This process's share of any other ordered collection, as an array.
    @_disfavoredOverload
    public func splitBetweenProcesses<Items: RandomAccessCollection>(
        _ items: Items, applyPadding: Bool = false
    ) throws -> Share<[Items.Element]> {
        try splitBetweenProcesses(Array(items), applyPadding: applyPadding)
    }

    /// Runs the closure with this process's share and gives its result. An error that leaves it is told to the others.
    @discardableResult
    nonisolated(nonsending) public func splitBetweenProcesses<Items: Splittable, Result>(
        _ items: Items, applyPadding: Bool = false,
        _ body: nonisolated(nonsending) (Share<Items.Portion>) async throws -> Result
    ) async throws -> Result {
        try await run("splitBetweenProcesses") {
            try await body(try splitBetweenProcesses(items, applyPadding: applyPadding))
        }
    }

    /// Runs the closure with this process's share of any other ordered collection.
    @_disfavoredOverload @discardableResult
    nonisolated(nonsending) public func splitBetweenProcesses<Items: RandomAccessCollection, Result>(
        _ items: Items, applyPadding: Bool = false,
        _ body: nonisolated(nonsending) (Share<[Items.Element]>) async throws -> Result
    ) async throws -> Result {
        try await splitBetweenProcesses(Array(items), applyPadding: applyPadding, body)
    }

    private static func itemCount(of items: some Splittable) throws(DistributedError) -> Int {
        let counts = try items.itemCounts(at: "").sorted { $0.path < $1.path }
        guard let first = counts.first else { return 0 }
        if let other = counts.first(where: { $0.count != first.count }) {
            throw .unsplittable(
                "the values differ in length: \(first.path) has \(first.count) items, \(other.path) has \(other.count)")
        }
        return first.count
    }
}
