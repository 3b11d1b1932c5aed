import ApusCPU
import ApusTestSupport
import Foundation
import Testing

@Suite struct ProcessorCountTests {
    /// A tree of groups as the kernel shows it.
    private let tree: TemporaryDirectory

    init() throws { tree = try TemporaryDirectory() }

    private func group(_ path: String, _ files: [String: String]) throws {
        try FileManager.default.createDirectory(
            atPath: tree.path + "/" + path, withIntermediateDirectories: true)
        for (name, text) in files { try tree.write(path + "/" + name, text + "\n") }
    }

    private func left(_ groups: String) -> Int { ProcessorCount.leftByControlGroups(of: groups, root: tree.path) }

    @Test(arguments: [
        ("50000 100000", 1), ("100000 100000", 1), ("150000 100000", 2), ("max 100000", .max), ("x", .max),
    ])
    func quotasAreRoundedUp(_ text: String, _ cores: Int) throws {
        try group("a", ["cpu.max": text])
        #expect(left("0::/a\n") == cores)
    }

    @Test func theLeastOfAGroupAndThoseAboveItCounts() throws {
        try group("a", ["cpu.max": "300000 100000"])
        try group("a/b", ["cpu.max": "max 100000"])
        try group("a/b/c", ["cpu.max": "800000 100000"])
        #expect(left("0::/a/b/c\n") == 3)
        #expect(left("0::/\n") == .max)
        try group("", ["cpu.max": "200000 100000"])
        #expect(left("0::/a/b/c\n") == 2)
    }

    @Test func theFirstVersionHasAHierarchyOfItsOwn() throws {
        try group("cpu", ["cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"])
        try group("cpu/job", ["cpu.cfs_quota_us": "250000", "cpu.cfs_period_us": "100000"])
        #expect(left("5:devices:/job\n4:cpu,cpuacct:/job\n0::/\n") == 3)
        #expect(left("4:cpu,cpuacct:/not/seen\n") == .max)
        #expect(left("4:cpuacct,cpuset:/job\n") == .max)
    }

    @Test(arguments: ["", "nonsense", "::", "0::/none", "4:cpu:/none", "0::/../../.."])
    func whatIsNotThereIsNoLimit(groups: String) { #expect(left(groups) == .max) }

    @Test(arguments: [
        ("Cpus_allowed:\t3\n", 2), ("Name: x\nCpus_allowed:\tff,00000001\nCpus_allowed_list:\t0,32-39\n", 9),
        ("Cpus_allowed_list:\t0-3\n", Int.max), ("", .max), ("Cpus_allowed:\t0\n", .max),
    ])
    func coresOfAMask(_ status: String, _ cores: Int) { #expect(ProcessorCount.allowed(by: status) == cores) }

    @Test func thisMachineHasSome() {
        #expect((1...ProcessInfo.processInfo.processorCount).contains(ProcessorCount.available))
    }
}
