import ApusCPU
import ApusCompute
import ApusTestSupport
import Testing

/// Every instruction set of this machine against the scalar reference.
@Suite struct KernelTests {
    static let vectorSets = InstructionSet.available.filter { $0 != .scalar }
    let reference: CPUDevice

    init() throws { reference = try CPUDevice(threads: 1, instructionSet: .scalar) }

    @Test(arguments: vectorSets)
    func argmaxTakesTheFirstOfEquals(_ set: InstructionSet) throws {
        let device = try CPUDevice(threads: 1, instructionSet: set)
        for count in [1, 4, 16, 33, 100] {
            for best in 0..<count {
                var row = [Float](repeating: -3, count: count)
                row[best] = 2
                row[count - 1] = max(row[count - 1], 2)
                let result = try device.makeTensor([1], .int32)
                try device.argmax(device.makeTensor(row, [1, count]), into: result)
                #expect(try device.download(result).elements(as: Int32.self) == [Int32(best)])
            }
        }
    }

    private func argmax(_ device: CPUDevice, _ rows: [[Float]]) throws -> [Int32] {
        let result = try device.makeTensor([rows.count], .int32)
        try device.argmax(device.makeTensor(Array(rows.joined()), [rows.count, rows[0].count]), into: result)
        return try device.download(result).elements()
    }

    /// Around the ends of vectors and of what is looked at together.
    private static let counts = [1, 3, 4, 16, 33, 255, 256, 300, 1024, 1025, 1100, 2200]

    @Test(arguments: InstructionSet.available)
    func argmaxRefusesWhatIsNoNumberAnywhere(_ set: InstructionSet) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set)
        for count in Self.counts {
            let row: [Float] = try HostTensor.random([count], seed: 3).elements()
            for odd in [Float.nan, -.nan, .signalingNaN, .infinity] {
                let rows = Set([0, 1, 5, count / 2, count - 2, count - 1]).filter { (0..<count).contains($0) }.map {
                    place in
                    var row = row
                    row[place] = odd
                    return row
                }
                #expect(try argmax(device, rows).allSatisfy { $0 == -1 }, "\(odd) in \(count)")
            }
        }
    }

    @Test(arguments: InstructionSet.available)
    func argmaxTakesMasksAsTheLeast(_ set: InstructionSet) throws {
        let device = try CPUDevice(threads: 2, instructionSet: set)
        for count in Self.counts {
            let masked = [Float](repeating: -.infinity, count: count)
            #expect(try argmax(device, [masked]) == [-1])
            for place in Set([0, count / 3, count - 1]) {
                for value in [-Float.greatestFiniteMagnitude, -0.0, 2] {
                    var row = masked
                    row[place] = value
                    #expect(try argmax(device, [row]) == [Int32(place)], "\(value) of \(count)")
                }
            }
        }
    }

    @Test(arguments: InstructionSet.available)
    func argmaxFindsTheFirstOfEqualsInLongRows(_ set: InstructionSet) throws {
        let device = try CPUDevice(threads: 1, instructionSet: set)
        for count in Self.counts {
            for seed in 0..<20 {
                // A few values, so that the largest stands in many places.
                let row = try HostTensor.random([count], seed: UInt64(seed)).elements(as: Float.self).map {
                    ($0 * 4).rounded()
                }
                let expected = row.firstIndex(of: try #require(row.max()))
                #expect(try argmax(device, [row]) == [Int32(try #require(expected))])
            }
        }
    }

    @Test func refusesAnInstructionSetThatIsMissing() {
        #expect(throws: Never.self) { try CPUDevice(threads: 1, instructionSet: .portable) }
    }
}
