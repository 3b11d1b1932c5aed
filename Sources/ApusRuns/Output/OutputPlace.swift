#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the path of an output stands for.
enum OutputPlace {
    /// A descriptor that this process has open, by one of its names.
    case descriptor(Int32)
    /// A pipe, a terminal, a device: something that has no end and cannot be replaced.
    case device(FileIdentity)
    /// A regular file, or none yet, links followed.
    case file(String)

    private static let descriptorFolders = ["/proc/self/fd/", "/dev/fd/"]
    private static let mostLinks = 40

    /// Throws `RunError` for a directory and for links that lead in a circle.
    init(_ path: String) throws(RunError) {
        guard !path.isEmpty else { throw RunError("--output needs the name of a file") }
        var place = path
        for _ in 0..<Self.mostLinks {
            if let number = Self.descriptor(place) {
                self = .descriptor(number)
                return
            }
            guard let next = Self.target(ofLink: place) else {
                self = try Self.place(place, path)
                return
            }
            place = next
        }
        throw RunError("\(path) cannot be written: too many links")
    }

    /// What is there now.
    var identity: FileIdentity? {
        switch self {
        case .descriptor(let number): FileIdentity(descriptor: number)
        case .device(let identity): identity
        case .file(let path): FileIdentity(path)
        }
    }

    private static func descriptor(_ path: String) -> Int32? {
        switch path {
        case "/dev/stdout": STDOUT_FILENO
        case "/dev/stderr": STDERR_FILENO
        default: descriptorFolders.first(where: path.hasPrefix).flatMap { Int32(path.dropFirst($0.count)) }
        }
    }

    private static func target(ofLink path: String) -> String? {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let target = String(decoding: bytes[..<count], as: UTF8.self)
        guard !target.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return target }
        return path[...slash] + target
    }

    private static func place(_ place: String, _ path: String) throws(RunError) -> OutputPlace {
        guard let identity = FileIdentity(place) else { return .file(place) }
        switch identity.kind {
        case S_IFREG: return .file(place)
        case S_IFDIR: throw RunError("\(path) cannot be written: it is a directory")
        default: return .device(identity)
        }
    }
}
