import ApusRuns

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Directories for the time of a run that only this user may enter.
enum TemporaryPlace {
    static func make() throws(RunError) -> String {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var name = "\(parent.isEmpty ? "/tmp" : parent)/apus-bench-XXXXXX".utf8CString
        let made = name.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        guard let made else {
            throw RunError("\(parent) cannot be written: \(String(cString: strerror(errno)))")
        }
        return made
    }
}
