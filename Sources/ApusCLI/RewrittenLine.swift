import Synchronization

/// One line that says what is being done, rewritten in place. Only on a terminal that can, and never longer than a row of
/// it, since what has wrapped is not taken back.
final class RewrittenLine: Sendable {
    private static let erase = "\r\u{1B}[K"

    private let isShown = Mutex(false)

    func show(_ text: String) {
        guard Terminal.canRewrite else { return }
        isShown.withLock { isShown in
            isShown = true
            StandardError.raw(Self.erase + Terminal.cut(text))
        }
    }

    /// Takes the line away, so that what follows starts on a clean one.
    func clear() {
        isShown.withLock { isShown in
            guard isShown else { return }
            isShown = false
            StandardError.raw(Self.erase)
        }
    }
}
