#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where everything goes that is no result.
enum StandardError {
    static let isTerminal = isatty(STDERR_FILENO) == 1

    /// Writes one line at once, so that lines of several processes never mix.
    static func write(_ line: String) { raw(line + "\n") }

    static func raw(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            guard let start = bytes.baseAddress else { return }
            _ = systemWrite(STDERR_FILENO, start, bytes.count)
        }
    }
}

/// `write` outside the type, where its method of that name would hide it.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
