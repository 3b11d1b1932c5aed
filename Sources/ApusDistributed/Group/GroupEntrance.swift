/// Lets a program join its group once, however often it asks.
actor GroupEntrance {
    static let shared = GroupEntrance()

    private weak var current: Membership?
    private var joining: Task<Membership, any Error>?
    /// The launcher remembers the queues of a program that leaves and comes back, so they are counted on.
    private let queueNumbers = QueueNumbers()

    /// Throws `DistributedError` if there is no such group.
    func join(timeout: Duration?) async throws -> Membership {
        if let timeout, timeout <= .zero || timeout > .seconds(1 << 30) {
            throw DistributedError.invalidArgument("a timeout of \(timeout.inWords)")
        }
        if let current { return current }
        if let joining { return try await joining.value }
        let joining = Task { [queueNumbers] in
            Membership(
                communicator: try await Accelerator.connect(Platform.environment, timeout: timeout),
                queueNumbers: queueNumbers)
        }
        self.joining = joining
        defer { self.joining = nil }
        let membership = try await joining.value
        current = membership
        return membership
    }
}
