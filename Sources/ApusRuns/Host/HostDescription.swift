import ApusCPU
import ApusDistributed

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What can be said of the machine at once, without measuring anything.
package struct HostDescription {
    package var platform = "unknown"
    package var processor = "unknown"
    /// Those that this process can keep busy at once.
    package var cores = 1
    /// Those that matter for the speed of kernels, by the system's names.
    package var instructionSets: [String] = []
    /// What a launcher has said about this process, secrets left out.
    package var launcher: [(key: String, value: String)] = []

    package static var current: HostDescription {
        var host = HostDescription()
        host.describeSystem()
        host.cores = ProcessorCount.available
        host.launcher = EnvironmentKey.shown
        return host
    }

    static var kernel: String {
        var name = utsname()
        guard uname(&name) == 0 else { return "unknown" }
        return [text(name.sysname), text(name.release), text(name.machine)].joined(separator: " ")
    }

    private static func text<Characters>(_ characters: Characters) -> String {
        withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
