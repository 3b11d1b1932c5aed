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
        #if canImport(Glibc)
            if isDense, byteCount >= Self.hugePage, byteCount < .max - Self.hugePage {
                // Huge pages begin at multiples of their size: what is mapped around those is given back.
                let whole = try Self.map(byteCount + Self.hugePage, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                pointer = whole.alignedUp(toMultipleOf: Self.hugePage)
                let page = Int(sysconf(Int32(_SC_PAGESIZE)))
                let head = pointer - whole
                let length = byteCount.roundedUp(to: page)
                if head > 0 { munmap(whole, head) }
                munmap(pointer + length, byteCount + Self.hugePage - head - length)
                madvise(pointer, byteCount, MADV_HUGEPAGE)
                return
            }
        #endif
        pointer = try Self.map(byteCount, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    }

    private static let hugePage = 2 << 20

    /// Throws `ComputeError` (`.outOfMemory`). `offset` is a multiple of the page size.
    init(file descriptor: Int32, offset: Int, byteCount: Int) throws(ComputeError) {
        self.byteCount = byteCount
        pointer = try Self.map(byteCount, MAP_SHARED, descriptor, offset)
    }

    deinit { munmap(pointer, byteCount) }

    private static func map(_ byteCount: Int, _ flags: Int32, _ descriptor: Int32, _ offset: Int)
        throws(ComputeError) -> UnsafeMutableRawPointer
    {
        let address = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, descriptor, off_t(offset))
        guard let address, address != MAP_FAILED else {
            throw .outOfMemory("the machine refuses \(byteCount) bytes of memory")
        }
        return address
    }
}
