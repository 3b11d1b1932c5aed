import ApusCompute
import ApusJSON

/// One tensor of a GGUF header, not yet placed.
struct GGUFTensorEntry {
    private let name: String
    /// Outermost first; files have them the other way round.
    private let shape: [Int]
    private let type: UInt32
    private let offset: UInt64

    init(_ reader: inout GGUFReader, _ index: Int) throws(CheckpointError) {
        let path = reader.mapping.path
        name = try reader.name("tensor \(index)")
        let dimensions = try reader.number(UInt32.self)
        guard (1...4).contains(dimensions) else {
            throw .malformed("\(path): tensor \(name.quoted): \(dimensions) dimensions; expected 1 to 4")
        }
        var shape: [Int] = []
        for _ in 0..<dimensions {
            let extent = try reader.number(UInt64.self)
            guard extent <= UInt64(1) << 40 else {
                throw .malformed("\(path): tensor \(name.quoted): an extent of \(extent)")
            }
            shape.insert(Int(extent), at: 0)
        }
        self.shape = shape
        type = try reader.number(UInt32.self)
        offset = try reader.number(UInt64.self)
    }

    /// Throws `CheckpointError` (`.malformed`) for tensors beyond the file or one over the other, (`.unsupported`) for types
    /// that are not read.
    static func tensors(
        _ entries: [GGUFTensorEntry], of mapping: MappedFile, from start: Int, alignment: Int
    ) throws(CheckpointError) -> [StoredTensor] {
        var tensors: [StoredTensor] = []
        tensors.reserveCapacity(entries.count)
        var names: Set<ExactString> = []
        for entry in entries {
            func fault(_ reason: String) -> CheckpointError {
                .malformed("\(mapping.path): tensor \(entry.name.quoted): \(reason)")
            }
            guard names.insert(ExactString(entry.name)).inserted else { throw fault("stands twice") }
            guard let type = GGMLType(rawValue: entry.type) else {
                throw .unsupported(
                    "\(mapping.path): tensor \(entry.name.quoted): is \(GGMLType.name(entry.type)), which is not read; "
                        + "\(GGMLType.readable) are")
            }
            guard let bytes = type.byteCount(entry.shape) else {
                throw fault("\(type.name) of shape \(entry.shape) is no whole number of blocks, or too large")
            }
            guard entry.offset % UInt64(alignment) == 0 else {
                throw fault("begins at byte \(entry.offset), which is no multiple of \(alignment)")
            }
            let available = max(mapping.bytes.count - start, 0)
            guard entry.offset <= UInt64(available), bytes <= available - Int(entry.offset) else {
                throw fault(
                    "takes \(bytes) bytes from byte \(entry.offset) on, but the file has \(available) bytes of data; "
                        + "is it cut short?")
            }
            let first = start + Int(entry.offset)
            var tensor = StoredTensor(
                name: entry.name, dtype: type.stored ?? .uint8, codes: type.blocks.map(TensorCodes.blocks),
                shape: entry.shape, mapping: mapping, range: first..<first + bytes)
            tensor.mayLackOnes = true
            tensors.append(tensor)
        }
        try checkOverlaps(tensors, of: mapping)
        return tensors
    }

    private static func checkOverlaps(_ tensors: [StoredTensor], of mapping: MappedFile) throws(CheckpointError) {
        let order = tensors.filter { !$0.range.isEmpty }.sorted { $0.range.lowerBound < $1.range.lowerBound }
        for (tensor, next) in zip(order, order.dropFirst()) where next.range.lowerBound < tensor.range.upperBound {
            throw .malformed("\(mapping.path): tensor \(next.name.quoted) overlaps \(tensor.name.quoted)")
        }
    }
}

/// The types of ggml's tensors that are read.
enum GGMLType: UInt32, CaseIterable {
    case f32 = 0
    case f16 = 1
    case q40 = 2
    case q41 = 3
    case q50 = 6
    case q51 = 7
    case q80 = 8
    case q2k = 10
    case q3k = 11
    case q4k = 12
    case q5k = 13
    case q6k = 14
    case iq4nl = 20
    case iq4xs = 23
    case i32 = 26
    case f64 = 28
    case bf16 = 30
    case mxfp4 = 39

    /// All that there have been.
    private static let names: [UInt32: String] = [
        0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 4: "Q4_2", 5: "Q4_3", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1",
        10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS",
        18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16",
        26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
        40: "NVFP4", 41: "Q1_0",
    ]

    static func name(_ type: UInt32) -> String { names[type] ?? "of the unknown type \(type)" }

    static var readable: String { allCases.map(\.name).joined(separator: ", ") }

    var name: String { Self.name(rawValue) }

    /// The element type of what is no blocks.
    var stored: StoredDType? {
        switch self {
        case .f32: .float32
        case .f16: .float16
        case .bf16: .bfloat16
        case .f64: .float64
        case .i32: .int32
        default: nil
        }
    }

    /// The format of its blocks; `nil` for elements of a type.
    var blocks: BlockFormat? { BlockFormat(rawValue: name) }

    /// Bytes of a row; `nil` where it is no whole blocks.
    private func rowByteCount(_ elements: Int) -> Int? {
        blocks.map { $0.rowByteCount(inputs: elements) } ?? stored.map { elements * ($0.bitCount / 8) }
    }

    /// `nil` where rows are no whole blocks, or no integer counts the bytes.
    func byteCount(_ shape: [Int]) -> Int? {
        guard let row = shape.last, var bytes = rowByteCount(row) else { return nil }
        for extent in shape.dropLast() {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
            guard !overflow, product <= 1 << 56 else { return nil }
            bytes = product
        }
        return bytes
    }
}
