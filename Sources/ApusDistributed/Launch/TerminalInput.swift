import CApusProcess

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What rank 0 reads from: the launcher's standard input.
enum TerminalInput {
    /// A rank is no member of the terminal's foreground group, and would be stopped if it read from it: then the
    /// launcher reads, and hands on through a pipe. `nil` if there is nothing to read from.
    static func forRankZero() throws(DistributedError) -> Int32? {
        guard fcntl(STDIN_FILENO, F_GETFD) >= 0 else { return nil }
        guard isatty(STDIN_FILENO) == 1 else { return STDIN_FILENO }
        guard tcgetpgrp(STDIN_FILENO) == getpgrp() else { return nil }
        var ends: [Int32] = [-1, -1]
        let error = apus_pipe(&ends)
        guard error == 0 else { throw .launch("no pipe for the input: \(Platform.describe(error))") }
        let (outlet, inlet) = (ends[0], ends[1])
        do {
            try BackgroundThread.start { copy(to: inlet) }
        } catch {
            close(outlet)
            close(inlet)
            throw error
        }
        return outlet
    }

    private static func copy(to inlet: Int32) {
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(STDIN_FILENO, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0, write(inlet, chunk, count) == count else { break }
        }
        close(inlet)
    }
}
