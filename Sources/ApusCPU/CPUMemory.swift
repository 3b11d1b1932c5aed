import ApusCompute

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Page-aligned memory of the process.
final class CPUMemory: DeviceMemory, @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
    let byteCount: Int
    private let region: MappedRegion?

    /// Bytes from which a region is worth its own mapping.
    private static let large = 2 << 20

    /// - Parameter isSparse: whether much of it may never be touched, and should cost nothing then.
    init(byteCount: Int, isSparse: Bool = false) throws(ComputeError) {
        self.byteCount = byteCount
        if byteCount >= Self.large {
            let region = try MappedRegion(byteCount: byteCount, isDense: !isSparse)
            self.region = region
            pointer = region.pointer
            return
        }
        var raw: UnsafeMutableRawPointer?
        guard byteCount >= 0, posix_memalign(&raw, 4096, max(byteCount, 64)) == 0, let raw else {
            throw .outOfMemory("the machine refuses \(byteCount) bytes of memory")
        }
        region = nil
        pointer = raw
    }

    deinit { if region == nil { free(pointer) } }
}
