import ApusJSON

/// A mapped `.safetensors` file whose header has been checked in full.
///
/// Layout (https://huggingface.co/docs/safetensors): eight bytes of header length, little endian; the header, a JSON
/// object of `name: {dtype, shape, data_offsets}`; then the data, which the tensors must cover without gap or overlap.
package final class SafetensorsFile: Sendable {
    /// Larger headers are refused, as by the reference implementation.
    static let maximumHeaderLength = 100_000_000

    /// The tensors in the order of the header.
    package let tensors: [StoredTensor]

    /// The free text under `__metadata__`.
    package let metadata: [String: String]

    package let path: String

    /// Maps the file and checks its header; reads none of the tensors.
    /// Throws `CheckpointError` (`.notFound`, `.unreadable`, `.malformed`, `.unsupported`).
    package init(path: String) throws(CheckpointError) {
        let mapping = try MappedFile(path: path)
        let headerEnd = try Self.headerEnd(of: mapping)
        let header = try MappedFile.jsonObject(
            UnsafeRawBufferPointer(rebasing: mapping.bytes[8..<headerEnd]), of: "\(path): header")

        var metadata: [String: String] = [:]
        var tensors: [StoredTensor] = []
        tensors.reserveCapacity(header.count)
        for member in header {
            if member.key.utf8.elementsEqual("__metadata__".utf8) {
                metadata = try Self.metadata(member.value, path: path)
            } else {
                let entry = TensorEntry(name: member.key, description: member.value, mapping: mapping)
                tensors.append(try entry.tensor(dataStart: headerEnd))
            }
        }
        try Self.checkCoverage(tensors, of: mapping, from: headerEnd)
        self.path = path
        self.metadata = metadata
        self.tensors = tensors
    }

    private static func headerEnd(of mapping: MappedFile) throws(CheckpointError) -> Int {
        let bytes = mapping.bytes
        try MappedFile.refusePointer(bytes, of: mapping.path)
        guard bytes.count >= 8 else {
            throw .malformed("\(mapping.path): expected a safetensors file, got only \(bytes.count) bytes")
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(maximumHeaderLength) else {
            throw .malformed(
                "\(mapping.path): the header is said to be \(length) bytes long, at most \(maximumHeaderLength) are read"
            )
        }
        guard length <= UInt64(bytes.count - 8) else {
            throw .malformed(
                "\(mapping.path): the header is said to be \(length) bytes long, "
                    + "but only \(bytes.count - 8) bytes follow; is the file cut short?")
        }
        let end = 8 + Int(length)
        guard length > 0, bytes[8] == UInt8(ascii: "{") else {
            throw .malformed("\(mapping.path): the header does not begin with '{'; is this a safetensors file?")
        }
        return end
    }

    private static func metadata(_ value: JSONValue, path: String) throws(CheckpointError) -> [String: String] {
        guard let object = value.object else {
            throw .malformed("\(path): __metadata__: expected an object, got \(value.kind)")
        }
        var metadata: [String: String] = [:]
        for member in object {
            guard let text = member.value.string else {
                throw .malformed(
                    "\(path): __metadata__: \(member.key.quoted): expected a string, got \(member.value.kind)")
            }
            metadata[member.key] = text
        }
        return metadata
    }

    private static func checkCoverage(
        _ tensors: [StoredTensor], of mapping: MappedFile, from dataStart: Int
    ) throws(CheckpointError) {
        let order = tensors.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        var end = dataStart
        var previous = "the header"
        for tensor in order {
            let start = tensor.range.lowerBound
            guard start == end else {
                let fault = start < end ? "overlaps \(previous)" : "leaves a hole after \(previous)"
                throw .malformed(
                    "\(mapping.path): tensor \(tensor.name.quoted) \(fault): "
                        + "expected it to begin at \(end - dataStart), got \(start - dataStart)")
            }
            end = tensor.range.upperBound
            previous = tensor.name.quoted
        }
        guard end == mapping.bytes.count else {
            throw .malformed(
                "\(mapping.path): the tensors take \(end - dataStart) bytes, "
                    + "but \(mapping.bytes.count - dataStart) bytes of data follow the header")
        }
    }
}
