#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An open file that results or messages go to.
package struct OutputDescriptor: Sendable {
    package static let standardOutput = OutputDescriptor(number: STDOUT_FILENO, name: "standard output")
    package static let standardError = OutputDescriptor(number: STDERR_FILENO, name: "standard error")

    package let number: Int32
    /// What a person knows it by.
    package let name: String

    private init(number: Int32, name: String) {
        self.number = number
        self.name = name
    }

    /// Makes or empties a file. Throws `RunError` if that fails.
    package init(creating path: String) throws(RunError) {
        try self.init(opening: path, flags: O_WRONLY | O_CREAT | O_TRUNC)
    }

    /// Opens a file. Throws `RunError` if that fails.
    package init(opening path: String, flags: Int32 = O_WRONLY, name: String? = nil) throws(RunError) {
        number = open(path, flags | O_CLOEXEC, 0o666)
        self.name = name ?? path
        guard number >= 0 else { throw failure }
    }

    /// Another number for an open file. Throws `RunError` if it is not open.
    package init(duplicating other: Int32, name: String) throws(RunError) {
        number = fcntl(other, F_DUPFD_CLOEXEC, 3)
        self.name = name
        guard number >= 0 else { throw failure }
    }

    package var isTerminal: Bool { isatty(number) == 1 }

    /// Writes all bytes. Throws `RunError` if that fails. When whoever reads standard output has gone, the process
    /// ends by SIGPIPE as others do, even where a library has that signal ignored.
    package func write(_ bytes: some Collection<UInt8>) throws(RunError) {
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

    package func close() { systemClose(number) }

    /// What the system last said of it.
    package var failure: RunError { .cannotWrite(name) }
}

// The system's calls, outside the type, where its methods of those names would hide them.

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

private func systemClose(_ descriptor: Int32) { _ = close(descriptor) }
