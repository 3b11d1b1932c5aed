import ApusCompute
import ApusDistributed

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Every collective between real processes, large messages among them. Prints one line on rank 0.
enum CollectiveCheck {
    static func run() async throws {
        let accelerator = try await Accelerator()
        let (rank, count) = (accelerator.processIndex, accelerator.numProcesses)
        let communicator = accelerator.communicator

        let large = [UInt8](repeating: UInt8(truncatingIfNeeded: rank + 1), count: 100_000_000)
        let sent = try await communicator.broadcast(large, from: count - 1)
        try expect(sent == [UInt8](repeating: UInt8(truncatingIfNeeded: count), count: 100_000_000), "broadcast")

        let parts = try await communicator.allGather(
            [UInt8](repeating: UInt8(truncatingIfNeeded: rank), count: rank * 1000))
        try expect(parts.enumerated().allSatisfy { $1 == [UInt8](repeating: UInt8($0), count: $0 * 1000) }, "allGather")

        let sum = try await accelerator.reduce(HostTensor([Float](repeating: Float(rank), count: 1_000_000)))
        try expect(sum.elements(as: Float.self).allSatisfy { $0 == Float(count * (count - 1) / 2) }, "reduce")

        let rows = try await accelerator.gather(HostTensor([Int32](repeating: Int32(rank), count: rank + 1)))
        try expect(rows.shape.count == count * (count + 1) / 2, "gather")

        // A ring: everyone sends before anyone receives.
        try await communicator.send([UInt8(truncatingIfNeeded: rank)], to: (rank + 1) % count)
        let got = try await communicator.receive(from: (rank + count - 1) % count)
        try expect(got == [UInt8(truncatingIfNeeded: (rank + count - 1) % count)], "receive")

        for round in 0..<200 {
            let all = try await accelerator.gatherObject([rank * 1000 + round])
            try expect(all == (0..<count).map { $0 * 1000 + round }, "gatherObject")
        }
        try await accelerator.waitForEveryone()
        accelerator.print("collectives agree on \(count) ranks")
    }

    private static func expect(_ holds: Bool, _ name: String) throws {
        if !holds { throw DistributedError(code: .mismatch, message: "\(name) gave something else") }
    }
}
