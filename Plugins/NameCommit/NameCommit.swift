import Foundation
import PackagePlugin

/// Lets a program say which commit it was built from. A command of the build, not one before it: those run only when the
/// build is planned, and would name a commit that has passed.
@main
struct NameCommit: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let root = context.package.directoryURL
        let output = context.pluginWorkDirectoryURL.appending(path: "BuiltCommit.swift")
        let script = root.appending(path: "Scripts/commit.sh")
        let sources = ["Sources", "Plugins"].flatMap { files(below: root.appending(path: $0)) }
        return [
            .buildCommand(
                displayName: "Naming the commit", executable: URL(filePath: "/bin/sh"),
                arguments: [script.path(percentEncoded: false), output.path(percentEncoded: false)],
                inputFiles: sources + [script, root.appending(path: "Package.swift")] + traces(of: root),
                outputFiles: [output])
        ]
    }

    /// What git touches when a commit, a checkout or an amendment moves the head.
    private func traces(of root: URL) -> [URL] {
        var directory = root.appending(path: ".git")
        // Of a second work tree or a submodule, it is a file that names the directory.
        if let link = try? String(contentsOf: directory, encoding: .utf8), link.hasPrefix("gitdir: ") {
            let path = link.dropFirst("gitdir: ".count).trimmingCharacters(in: .newlines)
            directory = URL(filePath: path, relativeTo: root)
        }
        return ["HEAD", "index", "logs/HEAD"].map { directory.appending(path: $0).absoluteURL }
            .filter { FileManager.default.fileExists(atPath: $0.path(percentEncoded: false)) }
    }

    private func files(below directory: URL) -> [URL] {
        let found = FileManager.default.enumerator(
            at: directory, includingPropertiesForKeys: [.isRegularFileKey], options: .skipsHiddenFiles)
        return (found?.compactMap { $0 as? URL } ?? []).filter {
            (try? $0.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true
        }
    }
}
