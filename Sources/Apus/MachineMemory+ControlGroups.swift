/// What Linux' control groups leave of the memory.
///
/// Formats: https://docs.kernel.org/admin-guide/cgroup-v2.html and https://docs.kernel.org/admin-guide/cgroup-v1/memory.html.
extension MachineMemory {
    /// Bytes that can still be taken, the least over a process' groups and those that they lie in: each of them is a limit.
    /// `Int.max` where there is none.
    ///
    /// - Parameters:
    ///   - groups: lines of `hierarchy:controllers:path`.
    ///   - root: where hierarchies are mounted.
    package static func leftByControlGroups(
        of groups: String = contents("/proc/self/cgroup"), root: String = "/sys/fs/cgroup"
    ) -> Int {
        groups.split(separator: "\n").reduce(.max) { least, line in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return least }
            let files: ControlGroupFiles
            if fields[0] == "0" && fields[1].isEmpty {
                files = .unified
            } else if fields[1].split(separator: ",").contains("memory") {
                files = .memory
            } else {
                return least
            }
            var path = fields[2].split(separator: "/")
            var left = files.left(in: root + files.mount)
            while !path.isEmpty {
                left = min(left, files.left(in: root + files.mount + "/" + path.joined(separator: "/")))
                path.removeLast()
            }
            return min(least, left)
        }
    }
}

/// Names in a group's directory.
private struct ControlGroupFiles {
    let mount: String
    let limit: String
    let used: String
    /// Pages of files, which can be given up.
    let pages: [String]

    static let unified = ControlGroupFiles(
        mount: "", limit: "memory.max", used: "memory.current", pages: ["inactive_file", "active_file"])
    /// The first version's, in a hierarchy of its own.
    static let memory = ControlGroupFiles(
        mount: "/memory", limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes",
        pages: ["total_inactive_file", "total_active_file"])

    /// A limit that is no number, `max`, is none.
    func left(in directory: String) -> Int {
        guard let limit = number(directory + "/" + limit), let used = number(directory + "/" + used) else {
            return .max
        }
        let facts = MachineMemory.contents(directory + "/memory.stat")
        let free = pages.compactMap { MachineMemory.value($0, in: facts) }.reduce(0, +)
        return max(limit - max(used - free, 0), 0)
    }

    private func number(_ path: String) -> Int? {
        MachineMemory.contents(path).split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
    }
}
