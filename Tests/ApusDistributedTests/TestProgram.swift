import ApusDistributed
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The programs that stand beside the test bundle.
enum TestProgram {
    static var rank: String { get throws { try path("apus-test-rank") } }
    static var apus: String { get throws { try path("apus") } }

    private static func path(_ name: String) throws -> String {
        let running = try #require(RunningProgram.path)
        var components = running.split(separator: "/", omittingEmptySubsequences: false)
        while !components.isEmpty {
            components.removeLast()
            let candidate = components.joined(separator: "/") + "/" + name
            if access(candidate, X_OK) == 0 { return candidate }
        }
        throw DistributedError(code: .launch, message: "\(name) does not stand beside \(running)")
    }
}
