import ApusCPU
import ApusCompute
import ApusTestSupport
import Foundation
import Testing

/// Devices that have a memory file in common, as the processes of a job do.
@Suite struct SharedWeightsTests {
    /// An open file that has no name any more.
    private func sharedFile() throws -> FileHandle {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("apus-shared-\(UUID())").path
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.truncate(atOffset: 1 << 33)
        try FileManager.default.removeItem(atPath: path)
        return file
    }

    private func product(_ device: CPUDevice, _ weight: any PreparedWeight) throws -> [Float] {
        let y = try device.makeTensor([3, weight.shape[0]])
        let x = try device.makeTensor(.random([3, weight.shape[1]], seed: 9))
        try device.linear(x, norm: nil, [Projection(weight).into(y)])
        return try device.download(y).elements()
    }

    private func weights(_ device: CPUDevice, seeds: [UInt64] = [1, 2, 3]) throws -> [any PreparedWeight] {
        try seeds.map { seed in
            try device.prepare(.rows(.random([300, 700], seed: seed), identity: "seed \(seed)"), as: .bfloat16)
        }
    }

    @Test func whatOnePreparedTheOtherUses() throws {
        let file = try sharedFile()
        let first = try CPUDevice(threads: 2, sharedWeights: file.fileDescriptor)
        let second = try CPUDevice(threads: 1, sharedWeights: file.fileDescriptor)
        let alone = try CPUDevice(threads: 1)
        let expected = try weights(alone).map { try product(alone, $0) }
        #expect(try weights(first).map { try product(first, $0) } == expected)
        // Rows that were never there: if it packed again, it would read them.
        let empty = try HostTensor([Float](repeating: 0, count: 300 * 700), shape: [300, 700])
        let taken = try [1, 2, 3].map { seed in
            try second.prepare(.rows(empty, identity: "seed \(seed)"), as: .bfloat16)
        }
        #expect(try taken.map { try product(second, $0) } == expected)
    }

    @Test func bothPrepareAtOnce() async throws {
        let file = try sharedFile()
        let alone = try CPUDevice(threads: 1)
        let expected = try weights(alone).map { try product(alone, $0) }
        try await withThrowingTaskGroup(of: [[Float]].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let device = try CPUDevice(threads: 2, sharedWeights: file.fileDescriptor)
                    return try weights(device).map { try product(device, $0) }
                }
            }
            for try await results in group { #expect(results == expected) }
        }
    }

    @Test func anotherModelHasItsOwnMemory() throws {
        let file = try sharedFile()
        let alone = try CPUDevice(threads: 1)
        let first = try CPUDevice(threads: 1, sharedWeights: file.fileDescriptor)
        let second = try CPUDevice(threads: 1, sharedWeights: file.fileDescriptor)
        let one = try weights(first, seeds: [1, 2])
        let other = try weights(second, seeds: [1, 7, 2])
        #expect(try one.map { try product(first, $0) } == weights(alone, seeds: [1, 2]).map { try product(alone, $0) })
        #expect(
            try other.map { try product(second, $0) }
                == weights(alone, seeds: [1, 7, 2]).map { try product(alone, $0) })
    }

    @Test func weightsBeyondTheBudgetKeepTheirPlacesFree() throws {
        let file = try sharedFile()
        let alone = try CPUDevice(threads: 1)
        let expected = try weights(alone).map { try product(alone, $0) }
        // Room for two of three.
        let short = try CPUDevice(
            threads: 1, panelBudget: 2 * weights(alone)[0].ownedByteCount, sharedWeights: file.fileDescriptor)
        let roomy = try CPUDevice(threads: 1, sharedWeights: file.fileDescriptor)
        #expect(try weights(short).map { try product(short, $0) } == expected)
        #expect(try short.unpreparedByteCount == weights(alone)[2].ownedByteCount)
        #expect(try weights(roomy).map { try product(roomy, $0) } == expected)
        #expect(roomy.unpreparedByteCount == 0)
    }

    #if os(Linux)
        /// Whether the system grants them depends on its settings; they are asked for, at places where they can be.
        @Test func sharedWeightsAskForHugePages() throws {
            let file = try sharedFile()
            let device = try CPUDevice(threads: 1, sharedWeights: file.fileDescriptor)
            let weight = try weights(device, seeds: [1])
            let lines = SystemFile.contents("/proc/self/smaps", most: 1 << 24).split(separator: "\n")
            let starts = lines.indices.filter { lines[$0].contains("apus-shared-") }
            #expect(!starts.isEmpty)
            let asked = starts.filter { start in
                let flags = lines[start...].first { $0.hasPrefix("VmFlags:") } ?? ""
                let address = lines[start].split(separator: "-").first.flatMap { UInt($0, radix: 16) } ?? 1
                return flags.split(separator: " ").contains("hg") && address % (2 << 20) == 0
            }
            #expect(!asked.isEmpty)
            withExtendedLifetime(weight) {}
        }
    #endif

    /// A process that claimed a part and died leaves it claimed for good.
    @Test func partsThatSomebodyGaveUpArePackedByOthers() throws {
        let file = try sharedFile()
        let alone = try CPUDevice(threads: 1)
        let first = try CPUDevice(threads: 1, sharedWeights: file.fileDescriptor)
        _ = try weights(first, seeds: [1])
        // The record: a key of 8 bytes, then the state of each part, of which this small matrix has one.
        try file.seek(toOffset: 8)
        try file.write(contentsOf: withUnsafeBytes(of: UInt32(1).littleEndian) { Data($0) })
        let second = try CPUDevice(threads: 1, sharedWeights: file.fileDescriptor)
        let waited = try weights(second, seeds: [1])
        #expect(try product(second, waited[0]) == product(alone, weights(alone, seeds: [1])[0]))
    }
}
