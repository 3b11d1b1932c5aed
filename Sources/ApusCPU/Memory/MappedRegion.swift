import ApusCompute

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Zeroed memory straight from the system: the process's own, or a stretch of a memory file that several processes map.
final class MappedRegion: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
    let byteCount: Int

    /// - Parameter isDense: whether all of it will be touched, so that huge pages waste nothing.
    /// - Throws: `ComputeError` (`.outOfMemory`).
    init(byteCount: Int, isDense: Bool) throws(ComputeError) {
        self.byteCount = byteCount
        if isDense, Self.mayHaveHugePages(byteCount) {
            pointer = try Self.mapAligned(byteCount, PROT_READ | PROT_WRITE)
            Self.wantHugePages(pointer, byteCount)
        } else {
            pointer = try Self.map(nil, byteCount, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        }
    }

    /// Throws `ComputeError` (`.outOfMemory`). `offset` is a multiple of the page size; where it is one of a huge page, the
    /// system may use those, if it is set up to do so for shared memory.
    init(file descriptor: Int32, offset: Int, byteCount: Int) throws(ComputeError) {
        self.byteCount = byteCount
        guard Self.mayHaveHugePages(byteCount), offset % Self.hugePage == 0 else {
            pointer = try Self.map(nil, byteCount, MAP_SHARED, descriptor, offset)
            return
        }
        pointer = try Self.mapAligned(byteCount, PROT_NONE)
        do {
            _ = try Self.map(pointer, byteCount, MAP_SHARED | MAP_FIXED, descriptor, offset)
        } catch {
            munmap(pointer, byteCount)
            throw error
        }
        Self.wantHugePages(pointer, byteCount)
    }

    deinit { munmap(pointer, byteCount) }

    // MARK: Huge pages

    private static let hugePage = 2 << 20

    private static func mayHaveHugePages(_ byteCount: Int) -> Bool {
        #if canImport(Glibc)
            byteCount >= hugePage && byteCount < .max - hugePage
        #else
            false
        #endif
    }

    /// Where a system does not know the request, ordinary pages do.
    private static func wantHugePages(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
        #if canImport(Glibc)
            madvise(pointer, byteCount, MADV_HUGEPAGE)
        #endif
    }

    // MARK: Mapping

    /// Anonymous memory from a multiple of a huge page's size on: what is mapped around it is given back.
    private static func mapAligned(_ byteCount: Int, _ protection: Int32) throws(ComputeError)
        -> UnsafeMutableRawPointer
    {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        let whole = try map(nil, byteCount + hugePage, flags, -1, 0, protection)
        let pointer = whole.alignedUp(toMultipleOf: hugePage)
        let head = pointer - whole
        let length = byteCount.roundedUp(to: Int(sysconf(Int32(_SC_PAGESIZE))))
        if head > 0 { munmap(whole, head) }
        munmap(pointer + length, byteCount + hugePage - head - length)
        return pointer
    }

    private static func map(
        _ place: UnsafeMutableRawPointer?, _ byteCount: Int, _ flags: Int32, _ descriptor: Int32, _ offset: Int,
        _ protection: Int32 = PROT_READ | PROT_WRITE
    ) throws(ComputeError) -> UnsafeMutableRawPointer {
        let address = mmap(place, byteCount, protection, flags, descriptor, off_t(offset))
        guard let address, address != MAP_FAILED else {
            throw .outOfMemory("the machine refuses \(byteCount) bytes of memory")
        }
        return address
    }
}
