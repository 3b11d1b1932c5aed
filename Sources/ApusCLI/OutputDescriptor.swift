#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An open file that results or messages go to.
struct OutputDescriptor: Sendable {
    static let standardOutput = OutputDescriptor(number: STDOUT_FILENO, name: "standard output")
    static let standardError = OutputDescriptor(number: STDERR_FILENO, name: "standard error")

    let number: Int32
    /// What a person knows it by.
    let name: String

    private init(number: Int32, name: String) {
        self.number = number
        self.name = name
    }

    /// Makes or empties a file. Throws `CommandError` if that fails.
    init(creating path: String) throws(CommandError) {
        try self.init(opening: path, flags: O_WRONLY | O_CREAT | O_TRUNC)
    }

    /// Opens a file. Throws `CommandError` if that fails.
    init(opening path: String, flags: Int32 = O_WRONLY, name: String? = nil) throws(CommandError) {
        number = open(path, flags | O_CLOEXEC, 0o666)
        self.name = name ?? path
        guard number >= 0 else { throw failure }
    }

    /// Another number for an open file. Throws `CommandError` if it is not open.
    init(duplicating other: Int32, name: String) throws(CommandError) {
        number = fcntl(other, F_DUPFD_CLOEXEC, 3)
        self.name = name
        guard number >= 0 else { throw failure }
    }

    var isTerminal: Bool { isatty(number) == 1 }

    /// Writes all bytes. Throws `CommandError` if that fails. When whoever reads standard output has gone, the process
    /// ends by SIGPIPE as others do, even where a library has that signal ignored.
    func write(_ bytes: some Collection<UInt8>) throws(CommandError) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemWrite(number, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EPIPE, number == STDOUT_FILENO {
                signal(SIGPIPE, SIG_DFL)
                raise(SIGPIPE)
            }
            guard count > 0 else { throw failure }
            rest = rest.dropFirst(count)
        }
    }

    func close() { systemClose(number) }

    /// What the system last said of it.
    var failure: CommandError { CommandError("\(name) cannot be written: \(String(cString: strerror(errno)))") }
}

// The system's calls, outside the type, where its methods of those names would hide them.

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

private func systemClose(_ descriptor: Int32) { _ = close(descriptor) }
