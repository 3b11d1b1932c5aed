/// What Linux' control groups leave of the memory.
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
        ControlGroups.directories(of: "memory", groups: groups, root: root).reduce(.max) { least, directory in
            let files = directory.isUnified ? ControlGroupFiles.unified : .memory
            return min(least, files.left(in: directory.path))
        }
    }
}

/// Names in a group's directory.
private struct ControlGroupFiles {
    let limit: String
    let used: String
    /// Pages of files, which can be given up.
    let pages: [String]

    static let unified = ControlGroupFiles(
        limit: "memory.max", used: "memory.current", pages: ["inactive_file", "active_file"])
    /// The first version's, in a hierarchy of its own.
    static let memory = ControlGroupFiles(
        limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes",
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
