import Synchronization

/// Counts a worker's new tokens and says when a report is due: at most ten times a second.
final class TokenCounter: Sendable {
    private struct State {
        var tokens = 0
        var lastReport = ContinuousClock.now
    }

    private let state = Mutex(State())

    /// Counts one token; the total if it is time to report it.
    func add() -> Int? {
        state.withLock { state in
            state.tokens += 1
            let now = ContinuousClock.now
            guard now - state.lastReport > .milliseconds(100) else { return nil }
            state.lastReport = now
            return state.tokens
        }
    }
}
