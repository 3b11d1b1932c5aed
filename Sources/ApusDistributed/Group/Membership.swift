/// This process's part in a group, until nobody holds on to it.
final class Membership: Sendable {
    let communicator: any Communicator

    init(communicator: any Communicator) { self.communicator = communicator }

    deinit { communicator.leave() }
}
