#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A small file that is replaced as a whole: whoever reads it sees what was written last, or what was written before.
struct ReportFile: Sendable {
    private enum Place {
        /// The file itself, links followed.
        case file(String)
        /// A terminal, a pipe, an open descriptor: nothing that could be replaced.
        case stream(OutputDescriptor)
    }

    /// What a person knows it by.
    let name: String
    private let place: Place
    private let isThere: FileIdentity?

    /// Tries that it can be written, so that hours of work do not end in a report that has no place.
    ///
    /// - Parameter flag: what asks for it.
    /// - Throws: `RunError` that names the file.
    init(_ path: String, flag: String) throws(RunError) {
        guard !path.isEmpty, path != "-" else { throw RunError("\(flag) needs the name of a file") }
        name = path
        let found = try OutputPlace(path)
        isThere = found.identity
        switch found {
        case .descriptor(let number):
            place = .stream(try OutputDescriptor(duplicating: number, name: path))
        case .device:
            place = .stream(try OutputDescriptor(opening: path, name: path))
        case .file(let file):
            place = .file(file)
            let trial = try Self.beside(file, name: path)
            trial.output.close()
            unlink(trial.path)
        }
    }

    /// Whether it can be written again and again.
    var isReplaceable: Bool {
        if case .file = place { true } else { false }
    }

    /// Whether both are one file, or would be.
    func isSame(as other: ReportFile) -> Bool {
        if case .file(let path) = other.place { isAt(path) } else { false }
    }

    /// Whether a path leads to the file, or would, however it is spelled.
    func isAt(_ path: String) -> Bool {
        guard case .file(let own) = place else { return false }
        if let isThere { return isThere == FileIdentity(path) }
        let (mine, others) = (Self.parts(own), Self.parts(path))
        guard mine.name == others.name, let folder = FileIdentity(mine.folder) else { return false }
        return folder == FileIdentity(others.folder)
    }

    private static func parts(_ path: String) -> (folder: String, name: Substring) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path[...]) }
        return (String(path[...slash]), path[path.index(after: slash)...])
    }

    /// Throws `RunError`, and what was there stays.
    func write(_ text: String) throws(RunError) {
        switch place {
        case .stream(let output): try output.write(text.utf8)
        case .file(let file):
            let new = try Self.beside(file, name: name)
            do throws(RunError) {
                defer { new.output.close() }
                if let mode = FileIdentity(file)?.mode { fchmod(new.output.number, mode) }
                try new.output.write(text.utf8)
                guard rename(new.path, file) == 0 else { throw new.output.failure }
            } catch {
                unlink(new.path)
                throw error
            }
        }
    }

    /// A new file in the same directory, hidden, with a name of its own: other runs may write theirs there too.
    private static func beside(_ file: String, name: String) throws(RunError) -> (
        path: String, output: OutputDescriptor
    ) {
        let path = "\(parts(file).folder)/.apus-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        return (path, try OutputDescriptor(opening: path, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, name: name))
    }
}
