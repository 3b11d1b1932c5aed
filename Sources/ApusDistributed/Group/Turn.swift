import Synchronization

/// Sees to it that a rank makes one call at a time. Of two at once each rank could have another first, and each would get
/// the other's results; so both are refused.
package final class Turn: Sendable {
    private struct State {
        var holder: String?
        /// What came between.
        var clash: DistributedError?
    }

    private let state = Mutex(State())

    package init() {}

    /// Throws `DistributedError` (`.invalidArgument`) naming both calls if there is one already.
    func take(_ name: String, rank: Int) throws(DistributedError) {
        try state.withLock { state throws(DistributedError) in
            guard let holder = state.holder else {
                state.holder = name
                return
            }
            let clash = DistributedError.invalidArgument(
                "rank \(rank) called \(name) while its \(holder) had not returned: calls that others must make too can "
                    + "only be made one after the other")
            state.clash = state.clash ?? clash
            throw clash
        }
    }

    /// Ends the call. What came between, if anything did: then the call's result may be another's.
    func give() -> DistributedError? {
        state.withLock { state in
            defer { state = State() }
            return state.clash
        }
    }
}
