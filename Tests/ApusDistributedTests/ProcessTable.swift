import Foundation

enum ProcessTable {
    /// The processes whose environment has the text, which a test makes unique.
    static func processes(withEnvironment text: String) throws -> [String] { try processes(with: text, in: "environ") }

    /// The processes with the text in the file of that name that the system keeps of each.
    static func processes(with text: String, in file: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
            guard Int(name) != nil, let contents = FileManager.default.contents(atPath: "/proc/\(name)/\(file)") else {
                return false
            }
            return contents.range(of: Data(text.utf8)) != nil
        }
    }

    /// Waits until none is left, at most as long as given; returns those that are.
    static func awaitNone(
        withEnvironment text: String, orArgument argument: String? = nil, within limit: Duration = .seconds(2)
    ) async throws -> [String] {
        let start = ContinuousClock.now
        while true {
            let left =
                try processes(withEnvironment: text)
                + (argument.map { try processes(with: $0, in: "cmdline") } ?? [])
            if left.isEmpty || ContinuousClock.now - start > limit { return left }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
