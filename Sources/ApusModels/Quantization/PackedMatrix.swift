import ApusCheckpoints
import ApusCompute
import Dispatch

/// Rows of a matrix of MXFP4 as bfloat16, which holds them exactly: blocks of 32 inputs, two a byte, the first in the low half,
/// with a power of two for each (Open Compute Project, Microscaling Formats 1.0).
struct PackedMatrix {
    static let blockSize = 32

    private let name: String
    private let identity: String
    /// The stored matrix, and the rows of it that these are among.
    private let origin: (name: String, rows: Range<Int>)
    private let shape: [Int]
    private let elements: WidenedElements

    /// Throws `ComputeError` (`.outOfMemory`).
    init(_ blocks: StoredTensor, scales: StoredTensor, _ matrix: StoredMatrix) throws {
        let groups = matrix.inputs / Self.blockSize
        name = blocks.name
        identity = "\(blocks.identity) \(matrix.view)"
        origin = (blocks.identity, matrix.view.extent(outputs: matrix.outputs))
        shape = [matrix.outputs, groups * Self.blockSize]
        elements = try WidenedElements(byteCount: matrix.outputs * groups * Self.blockSize * 2)
        guard groups * Self.blockSize == matrix.inputs else {
            throw ModelError.unsupported(blocks, wanted: "\(matrix.inputs) inputs are no blocks of \(Self.blockSize)")
        }
        nonisolated(unsafe) let source = blocks.bytes
        nonisolated(unsafe) let powers = scales.bytes
        nonisolated(unsafe) let target = elements.bytes.bindMemory(to: UInt16.self)
        let view = matrix.view
        let chunks = (matrix.outputs + Self.rowsPerChunk - 1) / Self.rowsPerChunk
        DispatchQueue.concurrentPerform(iterations: chunks) { chunk in
            let first = chunk * Self.rowsPerChunk
            for output in first..<min(first + Self.rowsPerChunk, matrix.outputs) {
                for group in 0..<groups {
                    let index = view.row(output) * groups + group
                    Self.widen(
                        source, from: index * Self.blockSize / 2, power: powers[index], into: target,
                        at: (output * groups + group) * Self.blockSize)
                }
            }
        }
    }

    private static let rowsPerChunk = 64

    private static func widen(
        _ source: UnsafeRawBufferPointer, from start: Int, power: UInt8,
        into target: UnsafeMutableBufferPointer<UInt16>,
        at place: Int
    ) {
        let exponent = Int(power) - 127
        for index in 0..<blockSize / 2 {
            let byte = Int(source[start + index])
            target[place + 2 * index] = element(byte & 15, exponent)
            target[place + 2 * index + 1] = element(byte >> 4, exponent)
        }
    }

    /// 0, 0.5, 1, 1.5, 2, 3, 4, 6 as bfloat16, then the same below zero.
    private static let values: [UInt16] = [0, 0.5, 1, 1.5, 2, 3, 4, 6].map { HalfPrecision.bfloat16($0) }

    private static func element(_ code: Int, _ exponent: Int) -> UInt16 {
        let sign = UInt16(code & 8) << 12
        guard code & 7 > 0 else { return sign }
        let bits = Int(values.withUnsafeBufferPointer { $0[code & 7] }) + exponent << 7
        // Beyond its exponents: nothing, or no number.
        if bits < 1 << 7 { return sign }
        return sign | UInt16(min(bits, 0x7f80))
    }

    func source() throws -> WeightSource {
        try WeightSource(
            name: name, identity: identity, bytes: UnsafeRawBufferPointer(elements.bytes), owner: elements,
            shape: Shape(shape), format: .bfloat16, origin: origin, release: { [elements] in elements.release() })
    }
}
