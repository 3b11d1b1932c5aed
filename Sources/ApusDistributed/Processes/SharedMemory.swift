#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file of zeros in memory that the ranks of one machine have open, and that ends with the last of them. It is larger
/// than anything that it may hold; what nothing touches costs nothing.
package final class SharedMemory: Sendable {
    package let descriptor: Int32

    /// 64 TiB.
    private static let byteCount = 1 << 46
    private static let key = "APUS_SHARED_MEMORY"

    /// `nil` where the system has no such files: ranks then keep to themselves.
    init?() {
        guard let descriptor = try? MemoryFile.make(name: "apus-shared", byteCount: Self.byteCount) else { return nil }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// The environment of a rank that inherits the file, or none.
    static func environment(_ environment: [String: String], with memory: SharedMemory?) -> [String: String] {
        var result = environment
        result[key] = memory.flatMap { name(of: $0.descriptor) }
        return result
    }

    /// Of the file that this process was started with.
    package static var inherited: Int32? {
        // Whatever else the number may stand for by now must not be written to.
        guard let value = Platform.environmentVariable(key), let first = value.split(separator: ":").first,
            let descriptor = Int32(first), descriptor > 2, name(of: descriptor) == value
        else { return nil }
        return descriptor
    }

    /// Bytes of the file that something has touched.
    package static func allocatedByteCount(_ descriptor: Int32) -> Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_blocks) * 512 : 0
    }

    /// The descriptor with what tells its file from every other.
    private static func name(of descriptor: Int32) -> String? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, Int(status.st_size) == byteCount else { return nil }
        return "\(descriptor):\(status.st_dev):\(status.st_ino)"
    }
}
