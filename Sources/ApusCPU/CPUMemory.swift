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

    init(byteCount: Int) throws(ComputeError) {
        var raw: UnsafeMutableRawPointer?
        guard byteCount >= 0, posix_memalign(&raw, 4096, max(byteCount, 64)) == 0, let raw else {
            throw .outOfMemory("the machine refuses \(byteCount) bytes of memory")
        }
        pointer = raw
        self.byteCount = byteCount
    }

    deinit { free(pointer) }
}

/// A matrix that the kernels read: row-major, either mapped with the checkpoint or owned.
final class CPUWeight: PreparedWeight, @unchecked Sendable {
    let shape: Shape
    let dtype: DType
    let pointer: UnsafeRawPointer
    let ownedByteCount: Int
    private let owner: any Sendable

    init(shape: Shape, dtype: DType, pointer: UnsafeRawPointer, owner: any Sendable, ownedByteCount: Int) {
        self.shape = shape
        self.dtype = dtype
        self.pointer = pointer
        self.owner = owner
        self.ownedByteCount = ownedByteCount
    }
}
