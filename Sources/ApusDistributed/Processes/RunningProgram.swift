#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

package enum RunningProgram {
    /// What this process runs, also when another file has taken its name meanwhile, as an upgrade does.
    static var executable: String? {
        #if os(Linux)
            "/proc/self/exe"
        #else
            path
        #endif
    }

    /// The path of the running program itself, so that it can start itself again.
    package static var path: String? {
        #if os(Linux)
            var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
            let count = readlink("/proc/self/exe", &buffer, buffer.count)
            return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
        #else
            return CommandLine.arguments.first.flatMap {
                try? ProgramSearch.resolve($0, path: Platform.environment["PATH"])
            }
        #endif
    }
}
