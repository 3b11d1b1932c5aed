/// This process's part in a group, until nobody holds on to it.
final class Membership: Sendable {
    let communicator: any Communicator
    let queueNumbers: QueueNumbers

    init(communicator: any Communicator, queueNumbers: QueueNumbers = QueueNumbers()) {
        self.communicator = communicator
        self.queueNumbers = queueNumbers
    }

    deinit { communicator.leave() }
}
