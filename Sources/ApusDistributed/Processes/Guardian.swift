import CApusProcess
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A small process that kills the ranks' process groups and removes the private directory if this process dies,
/// however it dies.
final class Guardian: Sendable {
    private let process: pid_t
    /// The end of a pipe: its closing, by the system if need be, is the guardian's alarm.
    let channel: Int32
    private let isOver = Mutex(false)

    init(directory: PrivateDirectory) throws(DistributedError) {
        var process: pid_t = 0
        var channel: Int32 = -1
        let error = apus_start_guardian(directory.socket, directory.path, &process, &channel)
        guard error == 0 else {
            throw .launch("the guardian process could not be started: \(Platform.describe(error))")
        }
        self.process = process
        self.channel = channel
    }

    /// A group that is gone, whose number the system may give to others.
    func forget(_ group: pid_t) { tell(-group) }

    /// The job is over and cleaned up: the guardian ends without doing anything.
    func dismiss() {
        let first = isOver.withLock { over in
            defer { over = true }
            return !over
        }
        guard first else { return }
        tell(0)
        close(channel)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }

    private func tell(_ message: pid_t) {
        var message = message
        _ = write(channel, &message, MemoryLayout<pid_t>.size)
    }
}
