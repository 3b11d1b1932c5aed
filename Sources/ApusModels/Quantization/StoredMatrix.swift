import ApusCheckpoints
import ApusCompute

/// The tensors that make up a matrix of products in a checkpoint: its elements, and what stands beside integers.
struct StoredMatrix: Sendable {
    let outputs: Int
    let inputs: Int
    /// `nil` for elements of floating point.
    let quantization: Quantization?
    /// Which part of what is stored it is. Integers are never stored as [inputs, outputs].
    let view: MatrixView

    init(outputs: Int, inputs: Int, quantization: Quantization?, view: MatrixView? = nil) {
        let view = view ?? MatrixView(outputs: outputs)
        self.outputs = outputs
        self.inputs = inputs
        self.quantization = quantization
        self.view = MatrixView(
            storedOutputs: view.storedOutputs, first: view.first, run: view.run, period: view.period,
            isTransposed: quantization == nil && view.isTransposed)
    }

    /// All that is stored.
    var whole: StoredMatrix {
        StoredMatrix(
            outputs: view.storedOutputs, inputs: inputs, quantization: quantization,
            view: MatrixView(outputs: view.storedOutputs, isTransposed: view.isTransposed))
    }

    static let weight = "weight"
    static let scale = "weight_scale"
    static let multiplier = "weight_multiplier"

    struct Part {
        let name: String
        /// `nil` for any type of floating point.
        let dtype: StoredDType?
        let shape: [Int]
    }

    var parts: [Part] {
        let rows = view.storedOutputs
        let scale = Part(name: Self.scale, dtype: .float32, shape: [rows])
        switch quantization {
        case nil:
            return [Part(name: Self.weight, dtype: nil, shape: view.isTransposed ? [inputs, rows] : [rows, inputs])]
        case .int8: return [Part(name: Self.weight, dtype: .int8, shape: [rows, inputs]), scale]
        case .int4:
            return [
                Part(
                    name: Self.weight, dtype: .uint8, shape: [rows, WeightFormat.int4.rowByteCount(inputs: inputs)]),
                Part(name: Self.multiplier, dtype: .uint8, shape: [rows, WeightFormat.groups(inputs: inputs)]),
                scale,
            ]
        }
    }

    func part(_ name: String) -> Part? { parts.first { $0.name == name } }
}

extension WeightCursor {
    /// A matrix at this place. Throws `CheckpointError` (`.weights`) for tensors that are missing, of another shape or hold
    /// what they must not, `ModelError` (`.unsupported`) for types.
    func source(_ matrix: StoredMatrix) throws -> WeightSource {
        let stored = try part(StoredMatrix.weight, of: matrix)
        if stored.dtype == .float64, matrix.quantization == nil { return try FloatMatrix(stored).source(matrix) }
        guard let format = matrix.quantization?.format ?? DType(stored.dtype).flatMap(WeightFormat.init) else {
            throw ModelError.unsupported(stored, wanted: "F64, F32, F16 and BF16 are supported")
        }
        // The parts may lie in several files.
        var mappings = [stored.mapping]
        let quantization = try matrix.quantization.map { quantization in
            let multipliers = quantization == .int4 ? try multipliers(matrix) : nil
            if let multipliers { mappings.append(multipliers.mapping) }
            return StoredQuantization(scales: try scales(matrix), multipliers: multipliers?.bytes)
        }
        return try WeightSource(
            name: stored.name, identity: stored.identity, bytes: stored.bytes, owner: mappings,
            shape: Shape([matrix.outputs, matrix.inputs]), format: format, quantization: quantization,
            view: matrix.view, release: stored.release)
    }

    private func part(_ name: String, of matrix: StoredMatrix) throws -> StoredTensor {
        guard let part = matrix.part(name) else { throw ModelError.unsupported("no matrix has a '\(name)'") }
        let stored = try tensor(part.name, shape: part.shape)
        if let dtype = part.dtype, stored.dtype != dtype {
            let format = matrix.quantization?.rawValue ?? ""
            throw ModelError.unsupported(stored, wanted: "a matrix of \(format) needs \(dtype.rawValue)")
        }
        return stored
    }

    private func scales(_ matrix: StoredMatrix) throws -> [Float] {
        let scales = try part(StoredMatrix.scale, of: matrix)
        let values = scales.withBytes { bytes in
            (0..<scales.count).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
        }
        if let row = values.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
            throw CheckpointError.weights(
                "\(scales.file): tensor '\(scales.name)': expected finite scales of at least 0, "
                    + "got \(values[row]) for output \(row)")
        }
        return values
    }

    private func multipliers(_ matrix: StoredMatrix) throws -> StoredTensor {
        let multipliers = try part(StoredMatrix.multiplier, of: matrix)
        // Without a way out of the loop, the compiler makes vectors of it.
        let isSound = multipliers.withBytes { bytes in
            bytes.reduce(UInt8(0)) { $0 | ($1 &- 1 > 14 ? 1 : 0) } == 0
        }
        guard isSound else {
            let wrong = multipliers.withBytes { bytes in bytes.first { $0 &- 1 > 14 } ?? 0 }
            throw CheckpointError.weights(
                "\(multipliers.file): tensor '\(multipliers.name)': expected multipliers from 1 to 15, got \(wrong)")
        }
        return multipliers
    }
}

extension ModelError {
    static func unsupported(_ stored: StoredTensor, wanted: String) -> ModelError {
        .unsupported("\(stored.file): tensor '\(stored.name)' is \(stored.dtype.rawValue); \(wanted)")
    }
}
