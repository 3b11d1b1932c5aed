import CApusProcess

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Locks by the kernel: they end with the process that has the file open, however it ends, and know nothing of ages.
package enum FileLock {
    package enum Outcome: Sendable, Equatable {
        case taken
        /// Another process has it.
        case held
        /// The file system has no locks.
        case unavailable(String)
    }

    /// Tries to lock an open file for as long as it is open.
    package static func take(_ descriptor: Int32) -> Outcome {
        let error = apus_lock_file(descriptor)
        return switch error {
        case 0: .taken
        case EAGAIN, EACCES: .held
        default: .unavailable(Platform.describe(error))
        }
    }
}
