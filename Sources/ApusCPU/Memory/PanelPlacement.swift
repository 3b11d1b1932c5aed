import ApusCompute
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where the panels of one matrix lie, and which parts of them are packed already, by this process or another.
///
/// Packing a part twice writes the same bytes, so a process that waits too long for another's part packs it itself: one
/// that died on the way holds nobody up.
final class PanelPlacement: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
    private let region: MappedRegion
    private let parts: Int
    private let counted: (bytes: Int, counter: AllocationCounter)
    /// Shared with the other processes: whose matrix this is, then the state of each part.
    private let key: UnsafeMutablePointer<Atomic<UInt64>>?
    private let states: UnsafeMutablePointer<Atomic<UInt32>>?
    private let complete = Atomic<Bool>(false)

    private static let free: UInt32 = 0
    private static let claimed: UInt32 = 1
    private static let packed: UInt32 = 2

    /// - Parameter counted: what is counted as long as the placement lives.
    /// - Throws: `ComputeError` (`.outOfMemory`) if the counter has no room.
    init(
        _ region: MappedRegion, offset: Int, parts: Int, record: UnsafeMutableRawPointer?,
        counted: (bytes: Int, counter: AllocationCounter)
    ) throws(ComputeError) {
        try counted.counter.take(counted.bytes)
        self.counted = counted
        self.region = region
        self.parts = parts
        pointer = region.pointer + offset
        key = record?.assumingMemoryBound(to: Atomic<UInt64>.self)
        states = record.map { ($0 + 8).assumingMemoryBound(to: Atomic<UInt32>.self) }
    }

    deinit { counted.counter.giveBack(counted.bytes) }

    /// Whether the place is free or that of the matrix with this key, which is not 0.
    func isOf(_ wanted: UInt64) -> Bool {
        guard let key else { return true }
        let (exchanged, present) = key.pointee.compareExchange(
            expected: 0, desired: wanted, ordering: .acquiringAndReleasing)
        return exchanged || present == wanted
    }

    /// Packs the part unless somebody else has begun to.
    func pack(part: Int, _ body: (Int) -> Void) {
        guard let states else { return body(part) }
        let (claimed, _) = states[part].compareExchange(
            expected: Self.free, desired: Self.claimed, ordering: .acquiringAndReleasing)
        guard claimed else { return }
        body(part)
        states[part].store(Self.packed, ordering: .releasing)
    }

    /// How long another process may take over one part of about a megabyte.
    private static let patience = 500

    /// Waits until all parts are packed, and packs those that others have given up.
    func awaitAll(_ body: (Int) -> Void) {
        guard let states, !complete.load(ordering: .acquiring) else { return }
        for part in 0..<parts {
            var waits = 0
            while states[part].load(ordering: .acquiring) != Self.packed {
                if waits == Self.patience {
                    body(part)
                    states[part].store(Self.packed, ordering: .releasing)
                } else {
                    usleep(1000)
                    waits += 1
                }
            }
        }
        complete.store(true, ordering: .releasing)
    }
}
