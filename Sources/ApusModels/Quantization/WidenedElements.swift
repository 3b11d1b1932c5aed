import ApusCompute

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Memory for elements that a checkpoint holds in a type without kernels, until a device has made its own of them.
final class WidenedElements: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    /// Throws `ComputeError` (`.outOfMemory`).
    init(byteCount: Int) throws(ComputeError) {
        let size = max(byteCount, 1)
        let flags = MAP_PRIVATE | MAP_ANON
        guard let address = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0), address != MAP_FAILED else {
            throw .outOfMemory("\(byteCount) bytes for elements of a checkpoint")
        }
        bytes = UnsafeMutableRawBufferPointer(start: address, count: byteCount)
    }

    deinit { munmap(bytes.baseAddress, max(bytes.count, 1)) }

    /// Gives the memory back to the system. The addresses stay valid, and read zeros.
    func release() { madvise(bytes.baseAddress, max(bytes.count, 1), MADV_DONTNEED) }
}
