import Synchronization

/// The bytes that a device has handed out, and the most that it may.
package final class AllocationCounter: Sendable {
    private struct State {
        var current = 0
        var peak = 0
    }

    package let owner: DeviceID
    package let budget: Int
    private let state = Mutex(State())

    package init(_ owner: DeviceID, budget: Int = .max) {
        self.owner = owner
        self.budget = budget
    }

    package var current: Int { state.withLock { $0.current } }
    package var peak: Int { state.withLock { $0.peak } }

    /// Throws `ComputeError` (`.outOfMemory`) if the budget does not have so many bytes left.
    package func take(_ byteCount: Int) throws(ComputeError) {
        let used = state.withLock { state -> Int? in
            guard byteCount <= budget - state.current else { return state.current }
            state.current += byteCount
            state.peak = max(state.peak, state.current)
            return nil
        }
        guard let used else { return }
        throw .outOfMemory("\(owner): \(byteCount) bytes more than the \(used) in use pass the budget of \(budget)")
    }

    package func giveBack(_ byteCount: Int) { state.withLock { $0.current -= byteCount } }
}
