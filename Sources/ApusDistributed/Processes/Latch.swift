import Synchronization

/// Something that happens once and that several may wait for.
package final class Latch: Sendable {
    private struct State {
        var isOpen = false
        var next = 0
        var waiting: [Int: CheckedContinuation<Bool, Never>] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume(returning: true) }
    }

    package var isOpen: Bool { state.withLock { $0.isOpen } }

    /// Whether it happened within the time.
    @discardableResult
    package func wait(upTo limit: Duration? = nil) async -> Bool {
        await withCheckedContinuation { continuation in
            let ticket: Int? = state.withLock { state in
                if state.isOpen { return nil }
                state.next += 1
                state.waiting[state.next] = continuation
                return state.next
            }
            guard let ticket else { return continuation.resume(returning: true) }
            guard let limit else { return }
            Task {
                try? await Task.sleep(for: limit)
                state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume(returning: false)
            }
        }
    }
}
