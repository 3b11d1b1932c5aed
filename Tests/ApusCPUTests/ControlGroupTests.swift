import ApusCPU
import ApusTestSupport
import Foundation
import Testing

@Suite("Memory left by control groups")
struct ControlGroupTests {
    /// A tree of groups as the kernel shows it.
    private let tree: TemporaryDirectory

    init() throws {
        tree = try TemporaryDirectory()
    }

    private func group(_ path: String, _ files: [String: String]) throws {
        let directory = tree.path + "/" + path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for (name, text) in files { try tree.write(path + "/" + name, text + "\n") }
    }

    private func left(_ groups: String) -> Int { MachineMemory.leftByControlGroups(of: groups, root: tree.path) }

    @Test func aGroupLeavesItsLimitLessWhatIsNotOfFiles() throws {
        try group(
            "a",
            [
                "memory.max": "1000", "memory.current": "700",
                "memory.stat": "anon 400\ninactive_file 200\nactive_file 50",
            ])
        #expect(left("0::/a\n") == 1000 - (700 - 250))
    }

    @Test func theLeastOfAGroupAndThoseAboveItCounts() throws {
        try group("a", ["memory.max": "500", "memory.current": "450"])
        try group("a/b", ["memory.max": "max", "memory.current": "10"])
        try group("a/b/c", ["memory.max": "900", "memory.current": "10"])
        #expect(left("0::/a/b/c\n") == 50)
        #expect(left("0::/\n") == .max)
    }

    @Test func theFirstVersionHasAHierarchyOfItsOwn() throws {
        try group("memory", ["memory.limit_in_bytes": "9223372036854771712", "memory.usage_in_bytes": "123"])
        try group(
            "memory/job",
            [
                "memory.limit_in_bytes": "4096", "memory.usage_in_bytes": "1096",
                "memory.stat": "inactive_file 1\ntotal_inactive_file 90\ntotal_active_file 6",
            ])
        #expect(left("5:devices:/job\n4:cpu,memory:/job\n0::/\n") == 4096 - 1000)
        // In a container the path is the host's, and what is mounted is the group itself.
        #expect(left("4:memory:/not/seen\n") == 9_223_372_036_854_771_712 - 123)
    }

    @Test func moreThanTheLimitLeavesNothing() throws {
        try group("a", ["memory.max": "100", "memory.current": "300"])
        #expect(left("0::/a\n") == 0)
    }

    @Test(arguments: ["", "nonsense", "::", "0::/none", "4:memory:/none", "0::/../../.."])
    func whatIsNotThereIsNoLimit(groups: String) {
        #expect(left(groups) == .max)
    }
}
