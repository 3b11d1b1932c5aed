import ApusCheckpoints
import ApusCompute

/// Reads weights at one place of a checkpoint and brings them to a device.
struct WeightLoader {
    let device: any Device
    /// Of tables, and of products unless they are quantized.
    let dtype: DType
    let format: WeightFormat
    /// Whether what stands in the checkpoint as codes stays so.
    let keepsCodes: Bool
    /// What the checkpoint holds products in, if they are integers.
    let stored: Quantization?
    /// Whether matrices are read for every use.
    let isStreamed: Bool

    /// A matrix of products, with its bias.
    func projection(_ parent: WeightCursor, _ weight: LayerWeight, _ matrix: StoredMatrix) throws -> Projection {
        let place = parent.at(weight.module)
        let bias = try weight.vectors.first.map { vector in
            let stored = try elements(place, vector)
            return try device.makeTensor((0..<matrix.outputs).map { stored[matrix.view.row($0)] })
        }
        let source = try place.source(matrix)
        return Projection(
            try device.prepare(
                source, as: weight.role.isExact ? .float32 : self.format(for: source, format), isStreamed: isStreamed),
            bias: bias)
    }

    /// What products make of a matrix.
    private func format(for source: WeightSource, _ format: WeightFormat) -> WeightFormat {
        keepsCodes && source.codes != nil ? source.format : format
    }

    /// - Parameter bias: where its bias is, if it has one.
    func head(_ weights: WeightCursor, _ matrix: StoredMatrix, bias: WeightCursor?) throws -> Projection {
        let source = try weights.source(matrix)
        let weight = try device.prepare(
            source, as: self.format(for: source, format.isQuantized ? Quantization.int8.ofHead.format : format),
            isStreamed: isStreamed)
        let vector = LayerWeight.Vector(name: "bias", shape: [matrix.outputs])
        return Projection(weight, bias: try bias.map { try device.makeTensor(elements($0, vector)) })
    }

    func table(
        _ weights: WeightCursor, _ matrix: StoredMatrix, tiedTo head: (any PreparedWeight)? = nil
    ) throws -> any PreparedWeight {
        let source = try weights.source(matrix)
        // Codes are looked up as they are.
        let dtype = keepsCodes && source.codes != nil ? .float32 : dtype
        return try device.prepareTable(source, as: dtype, tiedTo: head, isStreamed: isStreamed)
    }

    // Norms and biases are float32 on every device: they are small, and what they scale is float32.

    func norm(_ parent: WeightCursor, _ weight: LayerWeight, _ spec: NormSpec, count: Int) throws -> Norm {
        let place = parent.at(weight.module)
        func gathered(_ name: String) throws -> [Float] {
            try weight.vectors.filter { $0.name.hasSuffix(name) }.flatMap { try elements(place, $0) }
        }
        let factors =
            spec.hasWeight
            ? try gathered(spec.weightName).map { ($0 + spec.weightOffset) * spec.weightScale }
            : [Float](repeating: 1, count: count)
        return Norm(
            weight: try device.makeTensor(factors),
            bias: spec.hasBias ? try device.makeTensor(gathered("bias")) : nil,
            epsilon: spec.epsilon, isCentered: spec.kind == .layer)
    }

    func vector(_ parent: WeightCursor, _ weight: LayerWeight, name: String) throws -> Tensor {
        let place = weight.module.isEmpty ? parent : parent.at(weight.module)
        return try device.makeTensor(weight.vectors.filter { $0.name == name }.flatMap { try elements(place, $0) })
    }

    /// The weight of a convolution as [taps, channels], and its bias.
    func filter(
        _ parent: WeightCursor, _ weight: LayerWeight, channels: Int, taps: Int
    ) throws -> (weight: Tensor, bias: Tensor?) {
        let place = parent.at(weight.module)
        let vectors = weight.vectors
        let stored = try elements(place, vectors[0])
        let turned = (0..<taps).flatMap { tap in (0..<channels).map { stored[$0 * taps + tap] } }
        return (
            try device.makeTensor(turned, [taps, channels]),
            try vectors.dropFirst().first.map { try device.makeTensor(elements(place, $0)) }
        )
    }

    private func elements(_ place: WeightCursor, _ vector: LayerWeight.Vector) throws -> [Float] {
        try place.member(vector.name, shape: vector.shape).floats()
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
        guard codes == nil else { throw ModelError.unsupported(self, wanted: "F64, F32, F16 and BF16 are supported") }
        switch dtype {
        case .float32: each(Float.self) { $0 }
        case .float64: each(Double.self) { Float($0) }
        case .bfloat16: each(UInt16.self) { HalfPrecision.float(bfloat16: $0) }
        case .float16: each(UInt16.self) { HalfPrecision.float(float16: $0) }
        default: throw ModelError.unsupported(self, wanted: "F64, F32, F16 and BF16 are supported")
        }
    }
}
