#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Files and folders of a cache, asked of the system.
package enum SmallFile {
    /// Of no more than a megabyte and UTF-8; `nil` for others, and for what cannot be read.
    package static func text(_ path: String, atMost limit: Int = 1 << 20) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        let count = fread(&bytes, 1, bytes.count, file)
        guard count <= limit, ferror(file) == 0 else { return nil }
        return String(validating: bytes.prefix(count), as: UTF8.self)
    }

    /// What a path leads to, links followed; `nil` if to nothing.
    private static func status(_ path: String) -> stat? {
        var status = stat()
        guard !path.utf8.contains(0), stat(path, &status) == 0 else { return nil }
        return status
    }

    package static func isDirectory(_ path: String) -> Bool {
        status(path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
    }

    package static func exists(_ path: String) -> Bool { status(path) != nil }

    package static func isFile(_ path: String) -> Bool { byteCount(path) != nil }

    /// Of a file, links followed.
    package static func byteCount(_ path: String) -> Int? {
        status(path).flatMap { $0.st_mode & S_IFMT == S_IFREG ? Int($0.st_size) : nil }
    }

    /// In order; of a folder that is not there, none.
    package static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// All files of a folder and of those below, as paths from it; links to files count, links to folders are not followed.
    package static func files(below folder: String, depth: Int = 8) -> [String] {
        names(in: folder).flatMap { name -> [String] in
            let path = "\(folder)/\(name)"
            if isFile(path) { return [name] }
            guard depth > 0, isDirectory(path), !isLink(path) else { return [] }
            return files(below: path, depth: depth - 1).map { "\(name)/\($0)" }
        }
    }

    private static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }
}
