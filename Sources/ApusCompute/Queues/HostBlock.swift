import Synchronization

/// Memory of the host that a device copies from and to while the host goes on; made by the device that uses it.
///
/// Whoever looks at it before a copy is done, or writes what a copy has yet to read, gets an error that names it.
package final class HostBlock: @unchecked Sendable {
    package let label: String
    package let byteCount: Int
    private let pointer: UnsafeMutableRawPointer
    private let copies = Atomic<Int>(0)
    private static let total = Atomic<Int>(0)

    /// Bytes of all blocks of the process.
    package static var allocatedByteCount: Int { total.load(ordering: .relaxed) }

    private let free: @Sendable (UnsafeMutableRawPointer) -> Void

    /// `pointer` is given to `free` when nobody needs it any more.
    package init(
        _ label: String, pointer: UnsafeMutableRawPointer, byteCount: Int,
        free: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
    ) {
        self.label = label
        self.pointer = pointer
        self.byteCount = byteCount
        self.free = free
        Self.total.add(byteCount, ordering: .relaxed)
    }

    deinit {
        Self.total.subtract(byteCount, ordering: .relaxed)
        free(pointer)
    }

    /// Calls `body` with the bytes. Throws `ComputeError` (`.misuse`) while a device may be copying.
    package func withBytes<Result>(_ body: (UnsafeMutableRawBufferPointer) -> Result) throws(ComputeError) -> Result {
        guard copies.load(ordering: .acquiring) == 0 else {
            throw .misuse("the host looks at '\(label)' before a copy of it is done")
        }
        return body(UnsafeMutableRawBufferPointer(start: pointer, count: byteCount))
    }

    // MARK: What devices call

    /// A copy from or to this block was asked for.
    package func beginCopy() { copies.add(1, ordering: .relaxed) }

    /// It is done.
    package func endCopy() { copies.subtract(1, ordering: .releasing) }

    /// The bytes of a copy. Throws `ComputeError` (`.mismatch`) if the block has not so many.
    package func bytes(_ count: Int, at offset: Int = 0) throws(ComputeError) -> UnsafeMutableRawBufferPointer {
        guard offset >= 0, count >= 0, count <= byteCount - offset else {
            throw .mismatch("\(count) bytes at \(offset) of '\(label)', which has \(byteCount)")
        }
        return UnsafeMutableRawBufferPointer(start: pointer + offset, count: count)
    }
}
