import ApusJSON

/// A safetensors file whose tensors are written piece by piece, in any order.
///
/// Layout as `SafetensorsFile` reads it; wider elements lie before narrower ones and then by name, as the reference
/// implementation has them, so that each tensor stands aligned.
package final class SafetensorsWriter {
    private let file: OutputFile
    private let starts: [ExactString: Range<Int>]
    private var missing: Int

    /// Creates the file. Throws `CheckpointError` (`.unwritable`), as all of it does.
    package init(creating path: String, _ tensors: [TensorDescription]) throws(CheckpointError) {
        let order = tensors.sorted { left, right in
            left.dtype.bitCount == right.dtype.bitCount
                ? left.name.utf8.lexicographicallyPrecedes(right.name.utf8) : left.dtype.bitCount > right.dtype.bitCount
        }
        // What transformers asks of a file that it loads.
        var header = JSONObject([.init(key: "__metadata__", value: ["format": "pt"])])
        var members = header.members
        var ranges: [(ExactString, Range<Int>)] = []
        var end = 0
        for tensor in order {
            let range = end..<end + tensor.byteCount
            members.append(
                .init(
                    key: tensor.name,
                    value: [
                        "dtype": .string(tensor.dtype.rawValue), "shape": .array(tensor.shape.map { .integer($0) }),
                        "data_offsets": [.integer(range.lowerBound), .integer(range.upperBound)],
                    ]))
            ranges.append((ExactString(tensor.name), range))
            end = range.upperBound
        }
        header = JSONObject(members)
        var text = Array(JSONValue.object(header).serialized.utf8)
        text += [UInt8](repeating: 0x20, count: (64 - (text.count + 8) % 64) % 64)
        let length = UInt64(text.count)
        let head = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + text
        starts = Dictionary(
            ranges.map { ($0, $1.lowerBound + head.count..<$1.upperBound + head.count) }, uniquingKeysWith: { $1 })
        missing = end
        file = try OutputFile(creating: path)
        try file.write(head, at: 0)
    }

    /// Writes bytes of one tensor, `offset` bytes from its start. Every byte must be written once.
    package func write(_ bytes: UnsafeRawBufferPointer, to tensor: String, at offset: Int = 0) throws(CheckpointError) {
        guard let range = starts[ExactString(tensor)], offset >= 0, offset + bytes.count <= range.count else {
            preconditionFailure("\(bytes.count) bytes at \(offset) do not belong to a tensor \(tensor) of this file")
        }
        try file.write(bytes, at: range.lowerBound + offset)
        missing -= bytes.count
    }

    /// Completes the file; waits until it is on its disk.
    package func finish() throws(CheckpointError) {
        precondition(missing == 0, "\(missing) bytes of \(file.path) were not written")
        try file.finish()
    }
}
