/// A matrix whose codes, scales and offsets a checkpoint holds in arrays of their own, each of its own layout. The bytes stay
/// valid while `owner` lives.
package struct CodeArrays: @unchecked Sendable {
    /// Codes of some bits, packed in little-endian words of 32 bits along one index; the other is their line.
    package struct Codes: @unchecked Sendable {
        package var bytes: UnsafeRawBufferPointer
        /// Bytes from one line, and from one word, to the next.
        package var line: Int, word: Int
        package var bits: Int
        /// Codes of a word that holds whole ones; 32 where codes follow each other and may lie in two.
        package var each = 32
        /// Bits of a code that are stored the other way round.
        package var flip = 0
        /// Whether a line is an output; else it is an input, or a group of inputs.
        package var isAlongInputs: Bool
        /// Whether eight in a word lie in AWQ's order.
        package var takesTurns = false

        package init(
            _ bytes: UnsafeRawBufferPointer, line: Int, word: Int = 4, bits: Int, each: Int = 32, flip: Int = 0,
            isAlongInputs: Bool = true, takesTurns: Bool = false
        ) {
            (self.bytes, self.line, self.word, self.bits) = (bytes, line, word, bits)
            (self.each, self.flip, self.isAlongInputs, self.takesTurns) = (each, flip, isAlongInputs, takesTurns)
        }
    }

    package enum ElementType: UInt8, Sendable {
        case float16, bfloat16, float32, float8E4M3
        /// Exponents of 8 bits: 2^(p - 127).
        case power
    }

    /// A number for each output and group of inputs.
    package struct Values: @unchecked Sendable {
        package var bytes: UnsafeRawBufferPointer
        package var type: ElementType
        /// Bytes from one output, and from one group, to the next.
        package var line: Int, step: Int
        /// Outputs that share a line.
        package var rows = 1
        /// What each is multiplied with, or divided by.
        package var factor: Float?
        package var divides = false

        package init(
            _ bytes: UnsafeRawBufferPointer, _ type: ElementType, line: Int, step: Int, rows: Int = 1,
            factor: Float? = nil, divides: Bool = false
        ) {
            (self.bytes, self.type, self.line, self.step) = (bytes, type, line, step)
            (self.rows, self.factor, self.divides) = (rows, factor, divides)
        }
    }

    /// Of all that is stored.
    package var outputs: Int, inputs: Int
    /// What products make of it: codes as they are, or bfloat16 where integers cannot stand for them.
    package var product: WeightFormat
    package var codes: Codes
    package var scales: Values
    package var offsets: Values?
    package var zeros: Codes?
    /// What every zero is, where they are all the same.
    package var zero = 0
    /// What is added to each stored zero, and which bits of the sum count.
    package var zeroShift = 0, zeroMask = 0xff
    /// Inputs that share a scale, and their groups in a row.
    package var group: Int, groups: Int
    package var order: InputOrder?
    /// What codes stand for, if not for themselves.
    package var values: [Float]?
    /// Whether the matrix is one line of codes and of groups, which rows cross.
    package var isFlat = false
    /// Which of two codes in a byte is in its high half.
    package var isHighFirst = false
    package var owner: any Sendable

    package init(
        outputs: Int, inputs: Int, product: WeightFormat, codes: Codes, scales: Values, group: Int, groups: Int,
        owner: any Sendable
    ) {
        (self.outputs, self.inputs, self.product) = (outputs, inputs, product)
        (self.codes, self.scales, self.group, self.groups, self.owner) = (codes, scales, group, groups, owner)
    }
}

/// Inputs whose groups are not of neighbours: products take them by groups. Orders that are the same are one object.
package final class InputOrder: @unchecked Sendable {
    package let count: Int
    /// [inputs]: the group of each.
    package let groups: UnsafePointer<Int32>
    /// [inputs]: which of them stands at a place: by groups, those of a group in their own order.
    package let places: UnsafePointer<Int32>

    package init(groups: [Int32]) {
        func copy(_ values: [Int32]) -> UnsafePointer<Int32> {
            let memory = UnsafeMutableBufferPointer<Int32>.allocate(capacity: max(values.count, 1))
            _ = memory.initialize(from: values)
            return UnsafePointer(memory.baseAddress ?? .allocate(capacity: 1))
        }
        count = groups.count
        self.groups = copy(groups)
        let sorted = groups.indices.sorted { (groups[$0], $0) < (groups[$1], $1) }
        places = copy(sorted.map { Int32(truncatingIfNeeded: $0) })
    }

    deinit {
        groups.deallocate()
        places.deallocate()
    }

    /// Whether every group but the last has so many inputs, as a panel needs it.
    package func hasGroups(of size: Int) -> Bool {
        (0..<count).allSatisfy { Int(groups[Int(places[$0])]) == $0 / size }
    }
}
