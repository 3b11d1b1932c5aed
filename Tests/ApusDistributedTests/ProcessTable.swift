import Foundation

enum ProcessTable {
    /// The processes whose environment has the text, which a test makes unique.
    static func processes(withEnvironment text: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
            guard Int(name) != nil, let environment = FileManager.default.contents(atPath: "/proc/\(name)/environ")
            else {
                return false
            }
            return environment.range(of: Data(text.utf8)) != nil
        }
    }

    /// Waits until none is left, at most as long as given; returns those that are.
    static func awaitNone(withEnvironment text: String, within limit: Duration = .seconds(2)) async throws -> [String] {
        let start = ContinuousClock.now
        while true {
            let left = try processes(withEnvironment: text)
            if left.isEmpty || ContinuousClock.now - start > limit { return left }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
