import ApusCompute
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The memory that prepared weights lie in, one after the other.
///
/// It is the process's own, or a memory file that the processes of a job have inherited. These prepare the same matrices
/// in the same order, so each finds a matrix where the others put it; a record before it says which, and which of its parts
/// are packed. A process that loads something else has memory of its own from there on.
final class PanelMemory: Sendable {
    private struct State {
        var descriptor: Int32?
        var segment: MappedRegion?
        var used = 0
        var fileOffset: Int
        var budget: Int
        var unplaced = 0
    }

    /// Bytes mapped at a time; those that nothing touches cost nothing.
    private static let segmentByteCount = 64 << 20

    private let state: Mutex<State>
    private let counter: AllocationCounter

    /// - Parameters:
    ///   - descriptor: of a memory file larger than any model, for the lifetime of this object.
    ///   - offset: where in the file this memory begins.
    ///   - budget: most bytes of all matrices, whoever packs them.
    ///   - counter: counts the matrices.
    init(sharedFile descriptor: Int32?, offset: Int, budget: Int, counter: AllocationCounter) {
        self.counter = counter
        state = Mutex(State(descriptor: descriptor, fileOffset: offset, budget: budget))
    }

    /// Bytes of the matrices that there was no room for.
    var unplacedByteCount: Int { state.withLock { $0.unplaced } }

    /// Room for a matrix of `parts` parts that are packed one by one; `nil` when the budget is spent. `key` tells it from
    /// other matrices. Throws `ComputeError` (`.outOfMemory`).
    func place(byteCount: Int, parts: Int, key: UInt64) throws(ComputeError) -> PanelPlacement? {
        try state.withLock { state throws(ComputeError) in
            guard byteCount <= state.budget else {
                state.unplaced += byteCount
                // Those that have room for it find what comes next where this process puts it.
                if state.descriptor != nil { _ = try Self.take(Self.record(parts) + byteCount, &state) }
                return nil
            }
            state.budget -= byteCount
            let record = Self.record(parts)
            if state.descriptor != nil {
                let (region, offset) = try Self.take(record + byteCount, &state)
                let placement = try PanelPlacement(
                    region, offset: offset + record, parts: parts, record: region.pointer + offset,
                    counted: (byteCount, counter))
                if placement.isOf(key) { return placement }
                state = State(fileOffset: 0, budget: state.budget, unplaced: state.unplaced)
            }
            let (region, offset) = try Self.take(byteCount, &state)
            return try PanelPlacement(region, offset: offset, parts: parts, record: nil, counted: (byteCount, counter))
        }
    }

    /// Bytes of what stands before a matrix in a shared file.
    private static func record(_ parts: Int) -> Int { (8 + parts * 4).roundedUp(to: 64) }

    private static func take(_ byteCount: Int, _ state: inout State) throws(ComputeError) -> (MappedRegion, Int) {
        guard byteCount <= Int.max - segmentByteCount else {
            throw .outOfMemory("the machine refuses \(byteCount) bytes of memory")
        }
        let needed = byteCount.roundedUp(to: 64)
        if let segment = state.segment, segment.byteCount - state.used >= needed {
            defer { state.used += needed }
            return (segment, state.used)
        }
        let length = needed.roundedUp(to: segmentByteCount)
        let segment =
            if let descriptor = state.descriptor {
                try MappedRegion(file: descriptor, offset: state.fileOffset, byteCount: length)
            } else {
                try MappedRegion(byteCount: length, isDense: true)
            }
        state.fileOffset += length
        state.segment = segment
        state.used = needed
        return (segment, 0)
    }
}
