/// The control groups that Linux keeps a process in: each of them, and each that it lies in, may limit it.
///
/// Formats: https://docs.kernel.org/admin-guide/cgroup-v2.html and https://docs.kernel.org/admin-guide/cgroup-v1/.
package enum ControlGroups {
    package struct Directory: Equatable {
        package let path: String
        /// Whether it is of the second version, which has all controllers in one hierarchy.
        package let isUnified: Bool
    }

    /// Where the limits of a controller stand, for a process' groups and those that they lie in.
    ///
    /// - Parameters:
    ///   - controller: such as `memory` or `cpu`.
    ///   - groups: lines of `hierarchy:controllers:path`.
    ///   - root: where hierarchies are mounted.
    package static func directories(
        of controller: String, groups: String = SystemFile.contents("/proc/self/cgroup"),
        root: String = "/sys/fs/cgroup"
    ) -> [Directory] {
        groups.split(separator: "\n").flatMap { line -> [Directory] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            let isUnified = fields[0] == "0" && fields[1].isEmpty
            guard isUnified || fields[1].split(separator: ",").contains(where: { $0 == controller }) else { return [] }
            let mount = isUnified ? root : root + "/" + controller
            let path = fields[2].split(separator: "/")
            return (0...path.count).map { depth in
                Directory(
                    path: ([mount] + path.prefix(depth).map(String.init)).joined(separator: "/"), isUnified: isUnified)
            }
        }
    }
}
