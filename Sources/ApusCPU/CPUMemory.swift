import ApusCompute

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Page-aligned memory of the process. Large regions come fresh from the system, so pages that nothing touches cost
/// nothing.
final class CPUMemory: DeviceMemory, @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
    let byteCount: Int
    private let region: MappedRegion?

    /// Bytes from which a region is worth its own mapping.
    private static let large = 4 << 20

    init(byteCount: Int) throws(ComputeError) {
        self.byteCount = byteCount
        if byteCount >= Self.large {
            let region = try MappedRegion(byteCount: byteCount, isDense: false)
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
