import ApusCPU
import ApusCompute
import ApusTestSupport
import CApusKernels
import Testing

/// Checkpoints are rounded on one machine and compared on another: every instruction set gives the same bits.
@Suite struct QuantizerTests {
    private static let groupSize = Int(APUS_GROUP)

    /// Groups of all sizes, and of what no checkpoint should hold.
    private static func groups() throws -> [[Float]] {
        var groups: [[Float]] = []
        for exponent in stride(from: -140, through: 120, by: 4) {
            let scale = Float(sign: .plus, exponent: exponent, significand: 1)
            let values: [Float] = try HostTensor.random([groupSize], seed: UInt64(exponent + 200)).elements()
            groups.append(values.map { $0 * scale })
        }
        groups.append([Float](repeating: 0, count: groupSize))
        groups.append((0..<groupSize).map { Float($0 % 16) - 8 })  // halves of steps all over
        for odd in [Float.infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.greatestFiniteMagnitude] {
            var values: [Float] = try HostTensor.random([groupSize], seed: 3).elements()
            values[groupSize / 2] = odd
            groups.append(values)
        }
        return groups
    }

    private struct Rounded: Equatable {
        var largest: UInt32 = 0
        var bytes = [Int8](repeating: 0, count: groupSize)
        var halves = [UInt8](repeating: 0, count: groupSize)
        var multiplier: UInt8 = 0

        init(_ values: [Float], _ quantizer: apus_quantizer) {
            let size = quantizer.largest(values)
            largest = size.bitPattern
            quantizer.to_i8(values, size > 0 ? 127 / size : 0, &bytes)
            multiplier = quantizer.to_i4(values, size / 60, &halves)
        }
    }

    @Test(arguments: InstructionSet.available)
    func roundsAsEveryOtherInstructionSet(_ set: InstructionSet) throws {
        let plain = try #require(apus_quantizer_for(APUS_ISA_SCALAR)).pointee
        let quantizer = try #require(apus_quantizer_for(apus_isa(UInt32(set.rawValue)))).pointee
        for values in try Self.groups() {
            #expect(Rounded(values, quantizer) == Rounded(values, plain), "\(values)")
        }
        let values: [Float] = try HostTensor.random([Self.groupSize], seed: 9).elements()
        let ordinary = Rounded(values, plain)
        #expect(ordinary.bytes.contains(127) || ordinary.bytes.contains(-127))
        #expect((1...15).contains(ordinary.multiplier) && Set(ordinary.halves).count > 4)
    }
}
