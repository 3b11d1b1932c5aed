/// A moment in the work of a device: everything that was asked of it before is done.
package protocol DeviceEvent: AnyObject, Sendable {
    /// Blocks the host until the moment has come. Throws `ComputeError` if the device has failed.
    func wait() throws(ComputeError)
}

/// What a device that answers at once gives for an event.
package final class PastEvent: DeviceEvent {
    package static let shared = PastEvent()

    package func wait() {}
}
