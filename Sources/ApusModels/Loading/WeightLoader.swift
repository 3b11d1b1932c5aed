import ApusCheckpoints
import ApusCompute

/// Reads weights at one place of a checkpoint and brings them to a device.
struct WeightLoader {
    let device: any Device
    /// Of tables, and of products unless they are quantized.
    let dtype: DType
    let format: WeightFormat
    /// What the checkpoint holds products in, if they are integers.
    let stored: Quantization?
    /// Whether matrices are read for every use.
    let isStreamed: Bool

    /// A linear layer of a block.
    func projection(_ layer: WeightCursor, _ weight: LayerWeight, _ matrix: StoredMatrix) throws -> Projection {
        let place = layer.at(weight.module)
        let bias = try weight.vectors.first.map { try vector(place, $0.name, count: $0.count) }
        return Projection(try device.prepare(place.source(matrix), as: format, isStreamed: isStreamed), bias: bias)
    }

    func head(_ weights: WeightCursor, _ matrix: StoredMatrix) throws -> any PreparedWeight {
        try device.prepare(
            weights.source(matrix), as: format.isQuantized ? Quantization.int8.ofHead.format : format,
            isStreamed: isStreamed)
    }

    func table(
        _ weights: WeightCursor, _ rows: Int, _ width: Int, tiedTo head: (any PreparedWeight)?
    ) throws -> any PreparedWeight {
        let matrix = StoredMatrix(outputs: rows, inputs: width, quantization: nil)
        return try device.prepareTable(weights.source(matrix), as: dtype, tiedTo: head, isStreamed: isStreamed)
    }

    /// Norms and biases are float32 on every device: they are small, and what they scale is float32.
    func vector(_ weights: WeightCursor, _ name: String, count: Int) throws -> Tensor {
        try device.makeTensor(weights.tensor(name, shape: [count]).floats())
    }
}

extension DType {
    init?(_ stored: StoredDType) {
        switch stored {
        case .float32: self = .float32
        case .float16: self = .float16
        case .bfloat16: self = .bfloat16
        default: return nil
        }
    }
}

extension StoredTensor {
    /// The elements as float32. Throws `ModelError` (`.unsupported`) if they are of no type of floating point.
    func floats() throws -> [Float] {
        try Array(unsafeUninitializedCapacity: count) { target, initialized in
            try widen(into: target)
            initialized = count
        }
    }

    /// Writes the elements as float32; `target` has room for all.
    func widen(into target: UnsafeMutableBufferPointer<Float>) throws {
        func each<Element: BitwiseCopyable>(_: Element.Type, _ widened: (Element) -> Float) {
            withBytes { bytes in
                for index in 0..<count {
                    let element = bytes.loadUnaligned(
                        fromByteOffset: index * MemoryLayout<Element>.size, as: Element.self)
                    target.initializeElement(at: index, to: widened(element))
                }
            }
        }
        switch dtype {
        case .float32: each(Float.self) { $0 }
        case .float64: each(Double.self) { Float($0) }
        case .bfloat16: each(UInt16.self) { HalfPrecision.float(bfloat16: $0) }
        case .float16: each(UInt16.self) { HalfPrecision.float(float16: $0) }
        default: throw ModelError.unsupported(self, wanted: "F64, F32, F16 and BF16 are supported")
        }
    }
}
