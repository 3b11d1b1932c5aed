import ApusCompute

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension HostBlock {
    /// Ordinary memory of the process. Throws `ComputeError` (`.outOfMemory`).
    convenience init(mapping byteCount: Int, _ label: String) throws(ComputeError) {
        var raw: UnsafeMutableRawPointer?
        guard byteCount >= 0, posix_memalign(&raw, 4096, max(byteCount, 64)) == 0, let raw else {
            throw .outOfMemory("the machine refuses \(byteCount) bytes of memory")
        }
        self.init(label, pointer: raw, byteCount: byteCount) { Self.release($0) }
    }

    private static func release(_ pointer: UnsafeMutableRawPointer) { free(pointer) }
}
