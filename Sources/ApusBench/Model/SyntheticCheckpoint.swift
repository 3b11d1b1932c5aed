import Apus
import ApusCPU
import ApusCheckpoints
import ApusDistributed
import ApusJSON
import ApusModels
import ApusRuns

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A checkpoint of random weights that exists in memory only. Its directory holds the configuration and a link to that
/// memory, so workers load it like any other; it ends with this object.
final class SyntheticCheckpoint: Sendable {
    let directory: String
    private let descriptor: Int32

    private struct Entry {
        let name: String
        let shape: [Int]
        let range: Range<Int>
        var isNorm: Bool { shape.count == 1 }
    }

    /// Throws `RunError` if the model is too large for this machine's memory or the system lacks such memory.
    init(_ config: ConfigurationFile, _ spec: DecoderSpec) throws {
        let dtype = try DType(namedIn: config) ?? .bfloat16
        let entries = try Self.entries(spec, dtype, config.file)
        let header = Self.header(entries, dtype)
        let size = (entries.last?.range.upperBound ?? 0).addingReportingOverflow(header.count)
        let available = MachineMemory.available()
        guard !size.overflow, size.partialValue < available else {
            throw RunError(
                "\(config.file): random weights of \(size.partialValue >> 20) MiB pass the \(available >> 20) MiB of "
                    + "memory that are free")
        }
        descriptor = try MemoryFile.make(name: "apus-bench", byteCount: size.partialValue)
        directory = try TemporaryPlace.make()
        try Self.fill(descriptor, size.partialValue, header, entries, dtype)
        try OutputDescriptor(creating: directory + "/config.json").write(
            JSONValue.object(Quantization.removed(from: config.object)).serialized.utf8)
        guard symlink("/proc/\(getpid())/fd/\(descriptor)", directory + "/model.safetensors") == 0 else {
            throw RunError("\(directory) cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        unlink(directory + "/model.safetensors")
        unlink(directory + "/config.json")
        rmdir(directory)
        close(descriptor)
    }

    private static func entries(_ spec: DecoderSpec, _ dtype: DType, _ file: String) throws(RunError) -> [Entry] {
        let limit = 1 << 50
        let tooLarge = RunError("\(file): random weights of that shape pass any machine's memory")
        var entries: [Entry] = []
        var position = 0
        for (name, shape) in spec.weightShapes {
            var bytes = dtype.byteCount
            for extent in shape {
                let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
                guard !overflow, product < limit else { throw tooLarge }
                bytes = product
            }
            guard position < limit else { throw tooLarge }
            entries.append(Entry(name: name, shape: shape, range: position..<position + bytes))
            position += bytes
        }
        return entries
    }

    /// The head of a safetensors file (huggingface.co/docs/safetensors): its length, then a JSON table of tensors.
    private static func header(_ entries: [Entry], _ dtype: DType) -> [UInt8] {
        let name =
            switch dtype {
            case .bfloat16: "BF16"
            case .float16: "F16"
            default: "F32"
            }
        let table = JSONObject(
            entries.map { entry in
                JSONObject.Member(
                    key: entry.name,
                    value: [
                        "dtype": .string(name), "shape": .array(entry.shape.map { .integer($0) }),
                        "data_offsets": [.integer(entry.range.lowerBound), .integer(entry.range.upperBound)],
                    ])
            })
        var text = Array(JSONValue.object(table).serialized.utf8)
        // Tensors start at whole cache lines.
        text += [UInt8](repeating: 0x20, count: (64 - (text.count + 8) % 64) % 64)
        let length = UInt64(text.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + text
    }

    private static func fill(
        _ descriptor: Int32, _ size: Int, _ header: [UInt8], _ entries: [Entry], _ dtype: DType
    ) throws(RunError) {
        let mapping = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let mapping, mapping != MAP_FAILED else {
            throw RunError("no memory for \(size >> 20) MiB of random weights")
        }
        defer { munmap(mapping, size) }
        let bytes = UnsafeMutableRawBufferPointer(start: mapping, count: size)
        bytes.copyBytes(from: header)
        let tensors = UnsafeMutableRawBufferPointer(rebasing: bytes[header.count...])
        for entry in entries {
            RandomWeights.fill(
                UnsafeMutableRawBufferPointer(rebasing: tensors[entry.range]), dtype, isNorm: entry.isNorm,
                seed: UInt64(entry.range.lowerBound))
        }
    }
}
