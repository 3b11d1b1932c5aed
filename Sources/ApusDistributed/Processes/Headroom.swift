import CApusProcess

/// What the libraries under this one need of the system and take for granted: where it is refused, they end the program
/// by a signal. So it is tried first.
package enum Headroom {
    /// Threads of Swift's tasks, of its timers and signals, and of the sockets.
    private static let threads = 6
    /// Queues of events and their wakers, with a few to spare.
    private static let descriptors = 16
    private static let addresses = 48 << 20

    /// Whether the program can run at all, and have so many more open files.
    /// Throws `DistributedError` (`.launch`) with one sentence on what is refused.
    package static func check(moreDescriptors: Int = 0) throws(DistributedError) {
        let files = descriptors + moreDescriptors
        var error = apus_try_descriptors(Int32(clamping: files))
        guard error == 0 else {
            throw .launch("\(files) more open files are needed (ulimit -n): \(Platform.describe(error))")
        }
        error = apus_try_addresses(addresses)
        guard error == 0 else {
            throw .launch("\(addresses >> 20) MiB more memory are needed (ulimit -v): \(Platform.describe(error))")
        }
        error = apus_try_threads(Int32(clamping: threads))
        guard error == 0 else {
            throw .launch("\(threads) more threads are needed (ulimit -u, ulimit -v): \(Platform.describe(error))")
        }
    }
}
