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
    /// Matrices that are stored one behind the other, as a tensor of three dimensions if it is of floating point.
    let stack: Int
    /// Whether the elements are a tensor of their module's own name.
    let isBare: Bool
    /// Whether they are blocks of MXFP4 instead, never stored as [inputs, outputs].
    let isPacked: Bool

    init(
        outputs: Int, inputs: Int, quantization: Quantization?, view: MatrixView? = nil, stack: Int = 1,
        isBare: Bool = false, isPacked: Bool = false
    ) {
        let view = view ?? MatrixView(outputs: outputs)
        self.outputs = outputs
        self.inputs = inputs
        self.quantization = quantization
        self.stack = stack
        self.isBare = isBare
        self.isPacked = isPacked && quantization == nil
        self.view = MatrixView(
            storedOutputs: view.storedOutputs, first: view.first, run: view.run, period: view.period,
            isTransposed: quantization == nil && !isPacked && view.isTransposed)
    }

    /// All that is stored.
    var whole: StoredMatrix {
        StoredMatrix(
            outputs: view.storedOutputs, inputs: inputs, quantization: quantization,
            view: MatrixView(outputs: view.storedOutputs, isTransposed: view.isTransposed), stack: stack,
            isBare: isBare, isPacked: isPacked)
    }

    /// The parts of a stack, where each has to be read on its own.
    var blocks: [StoredMatrix] {
        guard stack > 1, view.isTransposed || isPacked else { return [self] }
        let rows = view.storedOutputs / stack
        return (0..<stack).map { block in
            StoredMatrix(
                outputs: rows, inputs: inputs, quantization: quantization,
                view: MatrixView(
                    storedOutputs: view.storedOutputs, first: block * rows, run: rows, period: rows,
                    isTransposed: view.isTransposed),
                stack: stack, isBare: isBare, isPacked: isPacked)
        }
    }

    static let weight = "weight"
    static let scale = "weight_scale"
    static let grids = "weight_multiplier"
    /// Ends of names that follow a module's own without a dot: of its elements, of their bias, and of blocks of MXFP4.
    static let bareWeight = ""
    static let bareBias = "_bias"
    static let packedBlocks = "_blocks"
    static let packedScales = "_scales"

    /// The name of a tensor of a module.
    static func name(_ part: String, in module: String) -> String {
        part.isEmpty || part.hasPrefix("_") ? module + part : module.isEmpty ? part : "\(module).\(part)"
    }

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
        case nil where isPacked:
            let shape = [stack, rows / stack, inputs / PackedMatrix.blockSize]
            return [
                Part(name: Self.packedBlocks, dtype: .uint8, shape: shape + [PackedMatrix.blockSize / 2]),
                Part(name: Self.packedScales, dtype: .uint8, shape: shape),
            ]
        case nil:
            let block = view.isTransposed ? [inputs, rows / stack] : [rows / stack, inputs]
            let name = isBare ? Self.bareWeight : Self.weight
            return [Part(name: name, dtype: nil, shape: stack > 1 ? [stack] + block : block)]
        case .int8: return [Part(name: Self.weight, dtype: .int8, shape: [rows, inputs]), scale]
        case .int4:
            return [
                Part(
                    name: Self.weight, dtype: .uint8, shape: [rows, WeightFormat.int4.rowByteCount(inputs: inputs)]),
                Part(name: Self.grids, dtype: .uint8, shape: [rows, WeightFormat.groups(inputs: inputs)]),
                scale,
            ]
        }
    }

    /// The block of a transposed stack that the matrix is in, which no view of all could tell, and what tells it from others.
    func block(of bytes: UnsafeRawBufferPointer) -> (bytes: UnsafeRawBufferPointer, view: MatrixView, name: String) {
        guard stack > 1, view.isTransposed, view.storedOutputs > 0 else { return (bytes, view, "") }
        let rows = view.storedOutputs / stack
        let size = bytes.count / stack
        let index = view.first / max(rows, 1)
        let own = MatrixView(
            storedOutputs: rows, first: view.first - index * rows, run: view.run, period: view.period,
            isTransposed: true)
        return (UnsafeRawBufferPointer(rebasing: bytes[index * size..<(index + 1) * size]), own, " \(index)")
    }

    func part(_ name: String) -> Part? { parts.first { $0.name == name } }
}

extension WeightCursor {
    /// A matrix at this place. Throws `CheckpointError` (`.weights`) for tensors that are missing, of another shape or hold
    /// what they must not, `ModelError` (`.unsupported`) for types.
    func source(_ matrix: StoredMatrix) throws -> WeightSource {
        let stored = try part(matrix.parts[0].name, of: matrix)
        if matrix.isPacked {
            return try PackedMatrix(stored, scales: part(StoredMatrix.packedScales, of: matrix), matrix).source()
        }
        if stored.dtype == .float64, matrix.quantization == nil { return try FloatMatrix(stored).source(matrix) }
        if let codes = try stored.codes(inputs: matrix.inputs) {
            guard matrix.quantization == nil else {
                throw ModelError.unsupported(stored, wanted: "floating point or integers are supported")
            }
            return try WeightSource(
                name: stored.name, identity: stored.identity, bytes: stored.bytes, owner: stored.mapping,
                shape: Shape([matrix.outputs, matrix.inputs]), format: codes.product, codes: codes,
                view: matrix.view.byOutputs, release: stored.release)
        }
        guard let format = matrix.quantization?.format ?? DType(stored.dtype).flatMap(WeightFormat.init) else {
            throw ModelError.unsupported(stored, wanted: "F64, F32, F16 and BF16 are supported")
        }
        // The parts may lie in several files.
        var mappings = [stored.mapping]
        let quantization = try matrix.quantization.map { quantization in
            let grids = quantization == .int4 ? try grids(matrix) : nil
            if let grids { mappings.append(grids.mapping) }
            return StoredQuantization(
                scales: try scales(matrix), grids: grids?.bytes,
                isRotated: checkpoint.formatVersion >= Quantization.versionOfRotation,
                hasZeros: checkpoint.formatVersion >= Quantization.versionOfZeros)
        }
        let (bytes, view, block) = matrix.block(of: stored.bytes)
        return try WeightSource(
            name: stored.name, identity: stored.identity + block, bytes: bytes, owner: mappings,
            shape: Shape([matrix.outputs, matrix.inputs]), format: format, quantization: quantization,
            view: view, release: stored.release)
    }

    /// A tensor of this module, whose name may be the module's own.
    func member(_ name: String, shape: [Int]) throws(CheckpointError) -> StoredTensor {
        let path = StoredMatrix.name(name, in: self.path)
        return try WeightCursor(root: self).tensor(path, shape: shape)
    }

    private func part(_ name: String, of matrix: StoredMatrix) throws -> StoredTensor {
        guard let part = matrix.part(name) else { throw ModelError.unsupported("no matrix has a '\(name)'") }
        let stored = try member(part.name, shape: part.shape)
        if let dtype = part.dtype, stored.dtype != dtype || stored.codes != nil {
            let format = matrix.quantization?.rawValue ?? "mxfp4"
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

    /// What no product of codes goes beyond: from -128 to 127.
    private func grids(_ matrix: StoredMatrix) throws -> StoredTensor {
        let grids = try part(StoredMatrix.grids, of: matrix)
        let hasZeros = checkpoint.formatVersion >= Quantization.versionOfZeros
        // Without a way out of the loop, the compiler makes vectors of it.
        let isSound = grids.withBytes { bytes in
            bytes.reduce(UInt8(0)) { $0 | (Self.isSound($1, hasZeros) ? 0 : 1) } == 0
        }
        guard isSound else {
            let wrong = grids.withBytes { bytes in bytes.first { !Self.isSound($0, hasZeros) } ?? 0 }
            let what = hasZeros ? "a multiplier and a zero whose products fit into 8 bits" : "multipliers from 1 to 15"
            throw CheckpointError.weights(
                "\(grids.file): tensor '\(grids.name)': expected \(what), got \(wrong)")
        }
        return grids
    }

    private static func isSound(_ grid: UInt8, _ hasZeros: Bool) -> Bool {
        guard hasZeros else { return grid &- 1 <= 14 }
        let (multiplier, zero) = (grid & 15, grid >> 4)
        return multiplier > 0 && multiplier &* zero <= 128 && multiplier &* (15 &- zero) <= 127
    }
}

extension ModelError {
    static func unsupported(_ stored: StoredTensor, wanted: String) -> ModelError {
        .unsupported("\(stored.file): tensor '\(stored.name)' is \(stored.typeName); \(wanted)")
    }
}

extension StoredTensor {
    /// The codes that it holds, of so many inputs; `nil` for elements of a type.
    func codes(inputs: Int) throws(CheckpointError) -> StoredCodes? {
        switch codes {
        case .blocks(let format): .blocks(format)
        case .weight(let weight): .arrays(try weight.arrays(inputs: inputs))
        case nil: nil
        }
    }

    /// What products make of the codes that it holds; `nil` for elements of a type.
    ///
    /// - Parameter inputs: of the matrix.
    func codeFormat(inputs: Int) throws(CheckpointError) -> WeightFormat? { try codes(inputs: inputs)?.product }
}

extension DecoderSpec {
    /// What products make of the codes that a checkpoint of this model holds.
    func codeFormats(in checkpoint: Checkpoint) throws(CheckpointError) -> [WeightFormat] {
        guard checkpoint.holdsCodes else { return [] }
        var formats: [WeightFormat] = []
        for (place, matrix) in storedMatrices(nil) + [(names.table, storedTable)] {
            let tensor = checkpoint["\(place).\(StoredMatrix.weight)"]
            if let format = try tensor?.codeFormat(inputs: matrix.inputs), !formats.contains(format) {
                formats.append(format)
            }
        }
        return formats
    }
}

extension Checkpoint {
    /// Whether it holds codes of other tools.
    var holdsCodes: Bool { names.contains { self[$0]?.codes != nil } }
}
