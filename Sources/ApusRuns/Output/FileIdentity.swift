#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What tells a file from every other, whatever it is called.
struct FileIdentity: Equatable {
    private let device: dev_t
    private let number: ino_t
    let kind: mode_t
    /// Permissions.
    let mode: mode_t
    let byteCount: Int
    /// Names that the file has.
    let links: Int

    /// `nil` if there is no such file.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    var isRegular: Bool { kind == S_IFREG }

    private init(_ status: stat) {
        device = status.st_dev
        number = status.st_ino
        kind = status.st_mode & S_IFMT
        mode = status.st_mode & 0o7777
        byteCount = Int(status.st_size)
        links = Int(status.st_nlink)
    }

    static func == (left: FileIdentity, right: FileIdentity) -> Bool {
        left.device == right.device && left.number == right.number
    }
}
