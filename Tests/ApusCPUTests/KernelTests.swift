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

    @Test func refusesAnInstructionSetThatIsMissing() {
        #expect(throws: Never.self) { try CPUDevice(threads: 1, instructionSet: .portable) }
    }
}
