import Foundation

/// The programs of the package, which stand beside the test bundle.
package enum BuiltProgram {
    package static var apus: String { get throws { try path("apus") } }
    /// What the tests of distribution run as ranks and workers.
    package static var rank: String { get throws { try path("apus-test-rank") } }

    /// The checkpoint of the demo model, which stands beside the programs.
    package static var demo: String? {
        guard let program = try? apus else { return nil }
        let folder = URL(fileURLWithPath: program).deletingLastPathComponent().path
        return ["resources", "bundle"].map { "\(folder)/apus_Apus.\($0)/Demo" }
            .first { FileManager.default.fileExists(atPath: $0) }
    }

    /// Throws `Missing` if there is no such program.
    package static func path(_ name: String) throws -> String {
        var folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        for argument in CommandLine.arguments where argument.hasSuffix(".xctest") {
            folder = URL(fileURLWithPath: argument)
        }
        while folder.pathComponents.count > 1 {
            folder.deleteLastPathComponent()
            let candidate = folder.appendingPathComponent(name).path
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        throw Missing(description: "\(name) does not stand beside the tests")
    }
}
