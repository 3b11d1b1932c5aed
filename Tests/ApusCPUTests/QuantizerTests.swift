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

    private static let panel = Int(APUS_PANEL)

    private struct Rounded: Equatable {
        var largest: UInt32 = 0
        var bytes = [Int8](repeating: 0, count: groupSize)

        init(_ values: [Float], _ quantizer: apus_quantizer) {
            let size = quantizer.largest(values)
            largest = size.bitPattern
            quantizer.to_i8(values, size > 0 ? 127 / size : 0, &bytes)
        }
    }

    /// Sixteen outputs of so many inputs, [inputs][outputs], as codes of 4 bits.
    private struct Coded: Equatable {
        var codes: [UInt8]
        var grids: [UInt8]

        init(_ values: [Float], _ inputs: Int, _ spread: [Float]?, _ quantizer: apus_quantizer) {
            let groups = (inputs + groupSize - 1) / groupSize
            var codes = [UInt8](repeating: 0, count: groups * groupSize * panel)
            var grids = [UInt8](repeating: 0, count: groups * panel)
            let inverses = (0..<panel).map { output -> Float in
                let largest = (0..<inputs).reduce(Float(0)) { max($0, abs(values[$1 * panel + output])) }
                return largest > 0 ? 112.5 / largest : 0
            }
            withUnsafeTemporaryAllocation(byteCount: codes.count * 4, alignment: 64) { room in
                let place = room.bindMemory(to: Float.self)
                for index in place.indices { place[index] = index < inputs * panel ? values[index] : 0 }
                quantizer.to_i4(place.baseAddress, inputs, inverses, spread, &codes, &grids)
            }
            (self.codes, self.grids) = (codes, grids)
        }

        /// What a code stands for, in units of its output's scale.
        func value(_ input: Int, _ output: Int) -> Int {
            let grid = grids[input / groupSize * panel + output]
            return (Int(codes[input * panel + output]) - Int(grid >> 4)) * Int(grid & 15)
        }
    }

    @Test(arguments: InstructionSet.available)
    func roundsAsEveryOtherInstructionSet(_ set: InstructionSet) throws {
        let plain = try #require(apus_quantizer_for(APUS_ISA_SCALAR)).pointee
        let quantizer = try #require(apus_quantizer_for(apus_isa(UInt32(set.rawValue)))).pointee
        let groups = try Self.groups()
        for values in groups {
            #expect(Rounded(values, quantizer) == Rounded(values, plain), "\(values)")
        }
        let ordinary = Rounded(try HostTensor.random([Self.groupSize], seed: 9).elements(), plain)
        #expect(ordinary.bytes.contains(127) || ordinary.bytes.contains(-127))

        for first in stride(from: 0, to: groups.count, by: 4) {
            let values = (0..<Self.groupSize).flatMap { input in
                (0..<Self.panel).map { groups[(first + $0) % groups.count][input] }
            }
            let coded = Coded(values, Self.groupSize, nil, plain)
            #expect(Coded(values, Self.groupSize, nil, quantizer) == coded)
        }
        for inputs in [256, 250, 64, 17, 1] {
            let values: [Float] = try HostTensor.random([inputs * Self.panel], seed: UInt64(inputs)).elements()
            let spread: [Float] = try HostTensor.random([inputs * inputs], seed: 4).elements().map { $0 / 8 }
            for spread in [nil, spread] {
                #expect(Coded(values, inputs, spread, quantizer) == Coded(values, inputs, spread, plain), "\(inputs)")
            }
            let width = (inputs + 15) / 16 * 16
            var moments = [[Float]](repeating: [Float](repeating: 0, count: width * width), count: 2)
            let rows: [Float] = try HostTensor.random([7 * width], seed: 5).elements()
            quantizer.add_moments(rows, 7, width, &moments[0])
            plain.add_moments(rows, 7, width, &moments[1])
            #expect(moments[0] == moments[1])
            let direct = (0..<7).reduce(0.0) { $0 + Double(rows[$1 * width]) * Double(rows[$1 * width + width - 1]) }
            #expect(abs(Double(moments[0][width - 1]) - direct) < 1e-4)
        }
    }

    /// What a grid may stand for fits into 8 bits, and loses less than those that are as wide to both sides.
    @Test func aGridSuitsItsGroup() throws {
        let quantizer = try #require(apus_quantizer_for(APUS_ISA_SCALAR)).pointee
        let count = Self.groupSize
        var (own, even) = (Float(0), Float(0))
        for seed in 0..<40 as Range<UInt64> {
            var values: [Float] = try HostTensor.random([count * Self.panel], seed: seed).elements()
            for output in 0..<Self.panel {
                let (size, shift) = (Float(output % 5 + 1), Float(seed % 4) / 2 * (output % 2 == 0 ? 1 : -1))
                for input in 0..<count {
                    let place = input * Self.panel + output
                    values[place] = (values[place] + shift) * size
                }
            }
            let coded = Coded(values, count, nil, quantizer)
            for output in 0..<Self.panel {
                let grid = coded.grids[output]
                let (step, zero) = (Int(grid & 15), Int(grid >> 4))
                #expect(step > 0 && -zero * step >= -128 && (15 - zero) * step <= 127)
                let column = (0..<count).map { values[$0 * Self.panel + output] }
                let scale = (column.map { abs($0) }.max() ?? 0) / 112.5
                func loss(_ value: (Float) -> Float) -> Float {
                    column.reduce(0) { $0 + ($1 / scale - value($1 / scale)) * ($1 / scale - value($1 / scale)) }
                }
                let evenStep = min(max(((column.map { abs($0) }.max() ?? 0) / scale / 7.5).rounded(.up), 1), 15)
                even += loss { min(max(($0 / evenStep).rounded(.toNearestOrEven), -8), 7) * evenStep }
                own += (0..<count).reduce(Float(0)) { sum, input in
                    let off = column[input] / scale - Float(coded.value(input, output))
                    return sum + off * off
                }
            }
        }
        #expect(own < even * 0.9, "\(own) lost, \(even) by even grids")
    }
}
