import ApusCompute
import ApusDistributed
import ApusJSON
import Testing

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite("Splitting between processes")
struct SplitTests {
    /// What Accelerate does, written by Tests/Fixtures/Splits/make.py: [n, processes, padded, shares].
    private static func reference() throws -> [(n: Int, processes: Int, padded: Bool, shares: [[Int]])] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../Fixtures/Splits/splits.json")
        let entries = try #require(Data(contentsOf: file).withUnsafeBytes { try JSONValue(parsing: $0) }.array)
        return try entries.map { entry in
            let fields = try #require(entry.array)
            return (
                try #require(fields[0].integer), try #require(fields[1].integer), fields[2] == .bool(true),
                try #require(fields[3].array).map { try #require($0.array).map { try #require($0.integer) } }
            )
        }
    }

    @Test func sharesAreAccelerates() throws {
        let cases = try Self.reference()
        #expect(cases.count == 41 * 8 * 2)
        for (n, processes, padded, shares) in cases {
            let own = try InProcessCommunicator.group(of: processes).map {
                try Accelerator(communicator: $0).splitBetweenProcesses(Array(0..<n), applyPadding: padded)
            }
            #expect(own.map(\.items) == shares, "n \(n), processes \(processes), padded \(padded)")
            #expect(own.map(\.itemCount) == shares.map(\.count))
        }
    }

    @Test(arguments: 1...8)
    func gatheringAfterPaddingGivesEveryItemOnce(processes: Int) async throws {
        for n in 0...40 {
            let results = await withRanks(processes) { accelerator in
                let share = try accelerator.splitBetweenProcesses(0..<n, applyPadding: true)
                let all = try await accelerator.gatherObject(share.map { "item \($0)" }, of: share)
                let rows = try HostTensor(share.flatMap { [Int32($0), Int32(-$0)] }, shape: [share.count, 2])
                return (all, try await accelerator.gather(rows, of: share))
            }
            for result in results {
                let (all, rows) = try result.get()
                #expect(all == (0..<n).map { "item \($0)" })
                #expect(rows.shape.dimensions == [n, 2])
                #expect(try rows.elements() == (0..<n).flatMap { [Int32($0), Int32(-$0)] })
            }
        }
    }

    @Test func everyKindOfOrderedCollection() throws {
        let second = Accelerator(communicator: InProcessCommunicator.group(of: 2)[1])
        #expect(try second.splitBetweenProcesses([1, 2, 3][...]).items == [3])
        #expect(try second.splitBetweenProcesses(ContiguousArray([1, 2, 3])).items == [3])
        #expect(try second.splitBetweenProcesses(5..<8).items == [7])
        #expect(try second.splitBetweenProcesses(5...7).items == [7])
        #expect(try second.splitBetweenProcesses([1, 2, 3].reversed()).items == [1])
        #expect(
            try second.splitBetweenProcesses((0..<5).lazy.map { $0 * $0 }, applyPadding: true).items == [9, 16, 16])
        #expect(try second.splitBetweenProcesses(["a", "b", "c"][1...]).range == 1..<2)
    }

    @Test func aShareIsACollectionOfItsItems() throws {
        let first = Accelerator(communicator: InProcessCommunicator.group(of: 2)[0])
        let share = try first.splitBetweenProcesses(["a", "b", "c"])
        #expect(share.count == 2 && share[1] == "b" && share.last == "b" && share.reversed() == ["b", "a"])
    }

    @Test func nestedDictionariesLoseNothing() throws {
        let nested = [
            "train": ["prompt": Array(0..<5), "answer": Array(10..<15)], "test": ["prompt": Array(20..<25)],
        ]
        for processes in 1...8 {
            for padded in [false, true] {
                let shares = try InProcessCommunicator.group(of: processes).map {
                    try Accelerator(communicator: $0).splitBetweenProcesses(nested, applyPadding: padded)
                }
                for (outer, leaves) in nested {
                    for (inner, items) in leaves {
                        let back = shares.flatMap { $0.items[outer]?[inner]?.prefix($0.range.count) ?? [] }
                        #expect(back == items)
                        #expect(!padded || Set(shares.map { $0.items[outer]?[inner]?.count }).count == 1)
                    }
                }
            }
        }
    }

    @Test func lengthsThatDifferAreNamed() throws {
        for processes in [1, 3] {
            let accelerator = Accelerator(communicator: InProcessCommunicator.group(of: processes)[0])
            let error = #expect(throws: DistributedError.self) {
                try accelerator.splitBetweenProcesses(["a": ["x": [1, 2, 3]], "b": ["y": [1, 2]]])
            }
            #expect(error?.message == "the values differ in length: a.x has 3 items, b.y has 2")
            #expect(error?.code == .unsplittable)
        }
        let alone = Accelerator(communicator: InProcessCommunicator.group(of: 1)[0])
        #expect(try alone.splitBetweenProcesses([String: [Int]](), applyPadding: true).items.isEmpty)
    }

    @Test func tensorsByRow() throws {
        let tensor = try HostTensor((0..<15).map { Float($0) }, shape: [5, 3])
        let shares = try InProcessCommunicator.group(of: 4).map {
            try Accelerator(communicator: $0).splitBetweenProcesses(["x": tensor], applyPadding: true)
        }
        #expect(shares.map { $0.items["x"]?.shape.dimensions } == [[2, 3], [2, 3], [2, 3], [2, 3]])
        #expect(try shares[2].items["x"]?.elements() == [9, 10, 11, 12, 13, 14] as [Float])
        #expect(try shares[3].items["x"]?.elements() == [12, 13, 14, 12, 13, 14] as [Float])

        let alone = Accelerator(communicator: InProcessCommunicator.group(of: 1)[0])
        let empty = try HostTensor([Float](), shape: [0, 3])
        #expect(try alone.splitBetweenProcesses(empty, applyPadding: true).items == empty)
        let error = #expect(throws: DistributedError.self) {
            try alone.splitBetweenProcesses(["s": HostTensor([Float(1)], shape: [])])
        }
        #expect(error?.message == "a tensor that is a single number (s) has no rows to split")
    }

    @Test func resultsThatAreNotOneForEachItemAreAnErrorEverywhere() async {
        let results = await withRanks(3) { accelerator in
            let share = try accelerator.splitBetweenProcesses(0..<5)
            let extra = accelerator.processIndex == 1 ? [0] : []
            _ = try await accelerator.gatherObject(share.items + extra, of: share)
        }
        #expect(results[1].message == "there are 3 results for a share of 2 items")
        for rank in [0, 2] {
            #expect(results[rank].message?.hasPrefix("rank 1 failed in gatherObject") == true)
            #expect(results[rank].message?.hasSuffix(": there are 3 results for a share of 2 items") == true)
        }
    }
}
