import Synchronization

/// Something that is raised once.
final class SignalFlag: Sendable {
    private let isRaised = Atomic<Bool>(false)

    /// Whether it was raised before.
    func raise() -> Bool { isRaised.exchange(true, ordering: .relaxed) }
}
