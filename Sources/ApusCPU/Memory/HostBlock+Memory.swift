import ApusCompute

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension HostBlock {
    /// Ordinary memory of the process. Throws `ComputeError` (`.outOfMemory`).
    convenience init(mapping byteCount: Int, _ label: String) throws(ComputeError) {
        self.init(label, pointer: try CPUMemory.pages(byteCount), byteCount: byteCount) { Self.release($0) }
    }

    private static func release(_ pointer: UnsafeMutableRawPointer) { free(pointer) }
}
