/// Which Apus this is, down to the commit, the compiler and the platform.
enum BuildDescription {
    static let version = "0.1.0"

    /// Seven digits, `-modified` behind them if the sources had changed since; `unknown` where git could not tell.
    static let commit = BuiltCommit.name

    static var text: String { "apus \(version) (\(commit), \(configuration), Swift \(compiler), \(platform))" }

    static var configuration: String {
        #if DEBUG
            "debug"
        #else
            "release"
        #endif
    }

    static var compiler: String {
        #if compiler(>=6.4)
            "6.4 or later"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }

    static var platform: String { "\(system) \(architecture)" }

    private static var system: String {
        #if os(Linux)
            "linux"
        #elseif os(macOS)
            "macos"
        #else
            "unknown"
        #endif
    }

    private static var architecture: String {
        #if arch(x86_64)
            "x86_64"
        #elseif arch(arm64)
            "arm64"
        #else
            "unknown"
        #endif
    }
}
