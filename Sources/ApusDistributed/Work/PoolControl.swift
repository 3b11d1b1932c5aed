import Synchronization

/// What ends a pool before its time. May be used before the pool runs and after it has ended.
package final class PoolControl: Sendable {
    package enum Wish: Int, Sendable, Comparable {
        case goOn, drain, stop

        package static func < (left: Wish, right: Wish) -> Bool { left.rawValue < right.rawValue }
    }

    private struct State {
        var wish = Wish.goOn
        var listener: (@Sendable (Wish) -> Void)?
    }

    private let state = Mutex(State())

    package init() {}

    /// Nothing is handed out any more; what is in flight is finished.
    package func drain() { want(.drain) }

    /// The pool ends at once.
    package func stop() { want(.stop) }

    private func want(_ wish: Wish) {
        let listener = state.withLock { state in
            guard wish > state.wish else { return nil as (@Sendable (Wish) -> Void)? }
            state.wish = wish
            return state.listener
        }
        listener?(wish)
    }

    /// Tells of a wish that there is, and of those that come.
    func listen(_ listener: @escaping @Sendable (Wish) -> Void) {
        let wish = state.withLock { state in
            state.listener = listener
            return state.wish
        }
        if wish > .goOn { listener(wish) }
    }

    func forget() { state.withLock { $0.listener = nil } }
}
