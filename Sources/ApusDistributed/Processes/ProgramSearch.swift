#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

enum ProgramSearch {
    /// The path of a program as a shell would find it: through `PATH` unless the name has a slash.
    /// Throws `DistributedError` (`.launch`) if there is none that may be run.
    static func resolve(_ name: String, path: String?) throws(DistributedError) -> String {
        guard !name.isEmpty else { throw .launch("the program has no name") }
        if name.utf8.contains(UInt8(ascii: "/")) {
            guard access(name, F_OK) == 0 else { throw .launch("\(name): no such program") }
            guard isProgram(name) else { throw .launch("\(name) is not a program that may be run") }
            return name
        }
        let directories = (path ?? "/usr/local/bin:/usr/bin:/bin").split(
            separator: ":", omittingEmptySubsequences: false)
        for directory in directories {
            let candidate = (directory.isEmpty ? "." : directory) + "/" + name
            if isProgram(candidate) { return candidate }
        }
        throw .launch("\(name): no such program in PATH")
    }

    private static func isProgram(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
}
