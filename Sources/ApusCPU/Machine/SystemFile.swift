#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Files in which the kernel says something about itself.
package enum SystemFile {
    /// Up to `most` bytes of a file's beginning; nothing if it cannot be read.
    package static func contents(_ path: String, most: Int = 1 << 16) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        let bytes = [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
            while count < most, let base = buffer.baseAddress {
                let more = read(descriptor, base + count, most - count)
                if more < 0, errno == EINTR { continue }
                guard more > 0 else { return }
                count += more
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
