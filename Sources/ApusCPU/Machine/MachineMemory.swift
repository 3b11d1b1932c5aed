#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Main memory of the machine, or of the part of it that this process may use.
package enum MachineMemory {
    /// Bytes that are built in.
    package static var total: Int { max(sysconf(Int32(_SC_PHYS_PAGES)), 1) * pageSize }

    /// Bytes that are there to be taken now: what Linux thinks can be had without swapping, within the limits of the
    /// control groups, whose pages of files can be given up, and of the process (`ulimit -v`); elsewhere all that is built in.
    ///
    /// - Parameter reserved: bytes of what is yet to take addresses only, such as mapped files; asked for only if there is a limit.
    package static func available(besides reserved: @autoclosure () -> Int = 0) -> Int {
        var bytes = total
        if let free = value("MemAvailable:", in: contents("/proc/meminfo")) { bytes = min(bytes, free * 1024) }
        bytes = min(bytes, leftByControlGroups())
        var addresses = rlimit()
        if getrlimit(addressSpace, &addresses) == 0, addresses.rlim_cur < rlim_t(Int.max),
            let pages = contents("/proc/self/statm").split(separator: " ").first.flatMap({ Int($0) })
        {
            bytes = min(bytes, max(Int(addresses.rlim_cur) - pages * pageSize - reserved(), 0))
        }
        return bytes
    }

    private static var pageSize: Int { max(sysconf(Int32(_SC_PAGESIZE)), 1) }

    #if canImport(Darwin)
        private static let addressSpace = RLIMIT_AS
    #else
        private static let addressSpace = __rlimit_resource_t(RLIMIT_AS.rawValue)
    #endif

    /// The number behind a name at the start of a line.
    static func value(_ name: String, in text: String) -> Int? {
        text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
            .flatMap { $0.split(separator: " ").dropFirst().first }
            .flatMap { Int($0) }
    }

    package static func contents(_ path: String) -> String { SystemFile.contents(path) }
}
