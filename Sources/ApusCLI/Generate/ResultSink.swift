#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes results in the order of the prompts, each as soon as all before it are there.
final class ResultSink {
    /// Whether a person reads the output.
    let isReadable: Bool

    private let descriptor: Int32
    private let name: String
    private var pending: [Int: String] = [:]
    private var next = 0

    /// Throws `CommandError` if the file cannot be made.
    init(path: String?, readable: Bool, count: Int) throws(CommandError) {
        if let path {
            descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else {
                throw CommandError("\(path) cannot be written: \(String(cString: strerror(errno)))")
            }
            name = path
            isReadable = false
        } else {
            descriptor = STDOUT_FILENO
            name = "standard output"
            isReadable = readable && isatty(STDOUT_FILENO) == 1
        }
    }

    deinit { if descriptor != STDOUT_FILENO { close(descriptor) } }

    /// Takes the line of one prompt and writes all that are due. Throws `CommandError` if that fails; lines written
    /// before stay.
    func put(_ line: String, at index: Int) throws(CommandError) {
        pending[index] = line
        var due = ""
        while let line = pending.removeValue(forKey: next) {
            due += line + "\n"
            next += 1
        }
        try write(Array(due.utf8))
    }

    private func write(_ bytes: [UInt8]) throws(CommandError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemWrite(descriptor, $0) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw CommandError("\(name) cannot be written: \(String(cString: strerror(errno)))")
            }
            rest = rest.dropFirst(count)
        }
    }
}

/// `write` outside the type, where its method of that name would hide it.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    bytes.baseAddress.map { write(descriptor, $0, bytes.count) } ?? 0
}
