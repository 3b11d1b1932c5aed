import Synchronization

/// How far a download is, for whoever shows it.
package final class DownloadProgress: Sendable {
    package struct State: Sendable {
        package var files = 0
        package var filesDone = 0
        /// As far as the hub has said.
        package var bytes = 0
        package var bytesDone = 0
        /// Those that came over the network.
        package var bytesFetched = 0
    }

    private let mutex = Mutex(State())

    package init() {}

    package var state: State { mutex.withLock { $0 } }

    func change(_ body: (inout State) -> Void) { mutex.withLock { body(&$0) } }
}
