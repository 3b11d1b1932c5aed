import ApusCompute

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Page-aligned memory of the process that belongs to one device.
final class CPUMemory: DeviceMemory, @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
    let byteCount: Int
    let counter: AllocationCounter
    private let region: MappedRegion?

    /// Bytes from which a region is worth its own mapping.
    private static let large = 2 << 20

    /// - Parameter isSparse: whether much of it may never be touched, and should cost nothing then.
    init(byteCount: Int, isSparse: Bool = false, of counter: AllocationCounter) throws(ComputeError) {
        try counter.take(byteCount)
        self.byteCount = byteCount
        self.counter = counter
        do {
            (pointer, region) = try Self.allocate(byteCount, isSparse)
        } catch {
            counter.giveBack(byteCount)
            throw error
        }
    }

    private static func allocate(
        _ byteCount: Int, _ isSparse: Bool
    ) throws(ComputeError) -> (UnsafeMutableRawPointer, MappedRegion?) {
        if byteCount >= large {
            let region = try MappedRegion(byteCount: byteCount, isDense: !isSparse)
            return (region.pointer, region)
        }
        return (try pages(byteCount), nil)
    }

    /// Page-aligned memory that nobody counts, to be given to `free`. Throws `ComputeError` (`.outOfMemory`).
    static func pages(_ byteCount: Int) throws(ComputeError) -> UnsafeMutableRawPointer {
        var raw: UnsafeMutableRawPointer?
        guard byteCount >= 0, posix_memalign(&raw, 4096, max(byteCount, 64)) == 0, let raw else {
            throw .outOfMemory("the machine refuses \(byteCount) bytes of memory")
        }
        return raw
    }

    deinit {
        if region == nil { free(pointer) }
        counter.giveBack(byteCount)
    }
}
