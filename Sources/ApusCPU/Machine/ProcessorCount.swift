#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// How many threads this process can run at once.
package enum ProcessorCount {
    /// The least of the cores that are on, those that the process may run on, and what its control groups leave it.
    package static var available: Int {
        max(1, min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), allowed(), leftByControlGroups()))
    }

    /// Cores in the mask of those that a process may run on, hexadecimal with commas; `Int.max` where there is none.
    package static func allowed(by status: String = SystemFile.contents("/proc/self/status")) -> Int {
        let name = "Cpus_allowed:"
        guard let mask = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return .max }
        let count = mask.dropFirst(name.count).reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
        return count > 0 ? count : .max
    }

    /// Cores that a process' groups and those that they lie in give it time for, rounded up; `Int.max` without a quota.
    package static func leftByControlGroups(
        of groups: String = SystemFile.contents("/proc/self/cgroup"), root: String = "/sys/fs/cgroup"
    ) -> Int {
        ControlGroups.directories(of: "cpu", groups: groups, root: root).reduce(.max) { least, directory in
            func numbers(_ name: String) -> [Int?] {
                SystemFile.contents(directory.path + "/" + name).split(whereSeparator: \.isWhitespace).map { Int($0) }
            }
            let limit =
                directory.isUnified ? numbers("cpu.max") : numbers("cpu.cfs_quota_us") + numbers("cpu.cfs_period_us")
            // A quota that is `max`, or -1 in the first version, is none.
            guard limit.count >= 2, let quota = limit[0], let period = limit[1], quota > 0, period > 0 else {
                return least
            }
            return min(least, quota / period + (quota % period == 0 ? 0 : 1))
        }
    }
}
