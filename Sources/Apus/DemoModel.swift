#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The model that Apus carries: a Llama of a few million parameters that tells short stories.
public enum DemoModel {
    /// Its directory, an ordinary checkpoint; `nil` if the program was moved away from the resources it was built with.
    ///
    /// Looked up beside the running program rather than through `Bundle.module`, which ends the process when it finds
    /// nothing.
    public static var directory: String? {
        candidates.first { FileManager.default.fileExists(atPath: $0 + "/config.json") }
    }

    private static let bundle = "apus_Apus"

    private static var candidates: [String] {
        let program = executablePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
            separator: "/")
        return [
            "\(program)/\(bundle).resources/Demo",
            "\(program)/\(bundle).bundle/Demo",
            "\(program)/\(bundle).bundle/Contents/Resources/Demo",
            // Where `make install` puts it, and where an archive has it.
            "\(program)/../share/apus/Demo",
            "\(program)/share/apus/Demo",
        ]
    }

    private static var executablePath: String {
        #if os(Linux)
            if let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") { return path }
        #endif
        return CommandLine.arguments.first ?? ""
    }
}
