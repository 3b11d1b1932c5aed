package import ApusCheckpoints
package import ApusCompute
import ApusJSON

/// What the products of a checkpoint that is written have.
package enum CheckpointFormat: String, Sendable, CaseIterable {
    case bfloat16, int8, int4

    package init(_ quantization: Quantization) {
        switch quantization {
        case .int8: self = .int8
        case .int4: self = .int4
        }
    }

    package var quantization: Quantization? { Quantization(rawValue: rawValue) }
}

/// Writes a checkpoint whose products have integers: what a device makes of them when it loads and quantizes the original; or
/// one in bfloat16, of floating point or of codes. The format is that of docs/QUANTIZATION.md.
package struct CheckpointQuantizer: Sendable {
    /// What happens to one tensor of the original, or to the embedding a second time.
    private enum Step: Sendable {
        case copy(StoredTensor, name: String)
        /// Rows of the sources follow each other.
        case quantize([WeightSource], place: String, StoredMatrix)
        case vector(CheckpointTranslation.Vector)
        case matrix(CheckpointTranslation.Matrix)
    }

    package struct Outcome: Sendable {
        /// Bytes of all tensors.
        package let byteCount: Int
        /// Bytes of all tensors of the original.
        package let originalByteCount: Int
        package let files: Int
        /// Names in the original's directory that the new one lacks: weights in other formats, directories.
        package let leftOut: [String]
        /// Matrices that were to be rounded by what they are multiplied with, of which there was nothing.
        package let unread: [String]
    }

    /// transformers' limit of one file.
    package static let maximumShardByteCount = 5_000_000_000
    /// Bytes of the original that are quantized at a time.
    private static let pieceByteCount = 16 << 20

    private let directory: String
    private let format: CheckpointFormat
    private let quantizer: any WeightQuantizer
    private let moments: InputMoments?
    private let config: ConfigurationFile
    private let dtype: DType
    private let checkpoint: Checkpoint
    private let steps: [Step]
    /// Where the original is otherwise than its configuration says.
    package let remarks: [String]

    /// Reads what the directory, or GGUF file, holds, and none of its weights. Throws `CheckpointError` and `ModelError` as
    /// loading it would, `ModelError` (`.unsupported`) if it is quantized already.
    ///
    /// - Parameter moments: of what its matrices are multiplied with, for int4: then what is lost of one input is made up for by
    ///   others. Without them, products have the bits of quantizing at load.
    package init(
        directory: String, as format: CheckpointFormat, by quantizer: any WeightQuantizer, moments: InputMoments? = nil
    ) throws {
        let gguf = GGUFFile.isOne(directory) ? try GGUFModel(path: directory) : nil
        if gguf == nil { try Checkpoint.requireDirectory(directory) }
        config = try gguf?.configuration() ?? ConfigurationFile(path: directory + "/config.json")
        if let stored = try Quantization(storedAsIn: config) {
            throw ModelError.unsupported("\(config.file): the weights are \(stored.rawValue) already")
        }
        checkpoint = try Checkpoint(directory: directory)
        dtype =
            try format == .bfloat16 ? .bfloat16 : gguf?.storedType ?? ModelDescription.storedType(config, checkpoint)
        let weights = WeightCursor(checkpoint)
        let family = try DecoderSpec(config)
        let (spec, remarks) = try (gguf?.spec() ?? family).settled(in: weights, stored: nil)
        self.remarks = remarks
        try DecoderModel.verify(weights, spec, stored: nil)
        self.directory = directory
        self.format = format
        self.quantizer = quantizer
        self.moments = moments
        if let quantization = format.quantization, gguf == nil, !checkpoint.holdsCodes {
            steps = try Self.steps(weights, spec, quantization)
        } else {
            var target = family
            target.tiedEmbeddings = spec.tiedEmbeddings
            let translation = try CheckpointTranslation(weights, spec, as: target, format.quantization)
            steps = translation.vectors.map(Step.vector) + translation.matrices.map(Step.matrix)
        }
        try checkNames()
    }

    private static func steps(
        _ weights: WeightCursor, _ spec: DecoderSpec, _ quantization: Quantization
    ) throws -> [Step] {
        var steps: [Step] = []
        var taken: Set<ExactString> = []
        for (source, target) in zip(spec.storedMatrices(nil), spec.storedMatrices(quantization)) {
            let place = weights.at(source.place)
            let blocks = try source.matrix.blocks.map { try place.source($0) }
            steps.append(.quantize(blocks, place: target.place, target.matrix))
            // Where the head is tied, a copy of it in the original gives way.
            if source.place == target.place {
                let names = source.matrix.parts.map { StoredMatrix.name($0.name, in: source.place) }
                taken.formUnion(names.map(ExactString.init))
            }
            taken.insert(ExactString("\(target.place).\(StoredMatrix.weight)"))
        }
        let others = weights.checkpoint.names.filter { !taken.contains(ExactString($0)) }
        var copies = others.compactMap { name in weights.checkpoint[name].map { Step.copy($0, name: name) } }
        if spec.names.tableIsHead, let table = weights.checkpoint[spec.names.table + ".weight"] {
            // The head's name is the integers' now, and the table stands where it is looked for.
            copies.append(.copy(table, name: spec.names.inBody(spec.names[.embedding]) + ".weight"))
        }
        return copies + steps
    }

    private func checkNames() throws {
        var names: Set<ExactString> = []
        for tensor in steps.flatMap(tensors) where !names.insert(ExactString(tensor.name)).inserted {
            throw CheckpointError.weights(
                "\(directory): has a tensor '\(tensor.name)' already, whose name the format needs")
        }
    }

    private func tensors(_ step: Step) -> [TensorDescription] {
        switch step {
        case .copy(let tensor, let name): [TensorDescription(name, tensor.dtype, tensor.shape)]
        case .quantize(_, let place, let matrix):
            matrix.parts.compactMap { part in
                part.dtype.map { TensorDescription("\(place).\(part.name)", $0, part.shape) }
            }
        case .vector(let vector): [TensorDescription(vector.name, ofRest, vector.shape)]
        case .matrix(let matrix):
            matrix.stored.parts.map { part in
                TensorDescription(
                    StoredMatrix.name(part.name, in: matrix.place), part.dtype ?? type(of: matrix), part.shape)
            }
        }
    }

    /// The type of vectors, and of what is never rounded: exact, beside integers.
    private var ofRest: StoredDType { format == .bfloat16 ? .bfloat16 : .float32 }

    /// The type of elements of floating point.
    private func type(of matrix: CheckpointTranslation.Matrix) -> StoredDType {
        guard matrix.isTable else { return ofRest }
        return dtype == .bfloat16 ? .bfloat16 : dtype == .float16 ? .float16 : .float32
    }

    /// The directory in the making, before anything is read. Throws `CheckpointError` (`.exists`, `.unwritable`).
    package func stage(_ target: String, replaces: Bool = false) throws(CheckpointError) -> StagedDirectory {
        try StagedDirectory(for: target, from: directory, replaces: replaces)
    }

    /// Writes the directory, which has its name only once it is complete. Blocks until it is on its disk.
    ///
    /// - Parameters:
    ///   - replaces: whether a checkpoint of that name gives way.
    ///   - files: text files that the new directory has besides, by name.
    /// - Throws: `CheckpointError` (`.exists`, `.unwritable`; `.weights` for weights that are no finite numbers),
    ///   `ComputeError` for matrices that integers do not suit. Nothing stays behind then.
    package func write(
        to target: String, replaces: Bool = false, maximumShardByteCount: Int = maximumShardByteCount,
        files: [(name: String, text: String)] = []
    ) throws -> Outcome {
        try write(to: stage(target, replaces: replaces), maximumShardByteCount: maximumShardByteCount, files: files)
    }

    /// The same into a directory that was staged before.
    ///
    /// - Parameter progress: is told the share that is done; what it throws ends the work.
    package func write(
        to staged: StagedDirectory, maximumShardByteCount: Int = maximumShardByteCount,
        files: [(name: String, text: String)] = [], progress: (Double) throws -> Void = { _ in }
    ) throws -> Outcome {
        let plan = ShardPlan(steps, maximumByteCount: maximumShardByteCount, tensors: tensors)
        var (done, unread) = (0, [String]())
        for shard in plan.shards {
            let writer = try SafetensorsWriter(creating: staged.path + "/" + shard.file, plan.tensors(of: shard))
            for step in shard.items {
                try write(step, to: writer, &unread) { bytes in
                    done += bytes
                    try progress(min(Double(done) / Double(max(checkpoint.byteCount, 1)), 1))
                }
            }
            try writer.finish()
        }
        if let index = plan.index { try staged.write(index.file, index.value.indented + "\n") }
        let described =
            format.quantization?.describe(config, dtype: dtype)
            ?? Quantization.removed(from: config.object, dtype: dtype)
        try staged.write("config.json", JSONValue.object(described).indented + "\n")
        let companions = try GGUFFile.isOne(directory) ? nil : CheckpointCompanions(of: checkpoint)
        for name in companions?.names ?? [] { try staged.copy(companions?.path(of: name) ?? name, as: name) }
        for file in files { try staged.write(file.name, file.text) }
        try staged.commit()
        return Outcome(
            byteCount: plan.byteCount, originalByteCount: checkpoint.byteCount, files: plan.shards.count,
            leftOut: companions?.leftOut ?? [], unread: unread)
    }

    private func write(
        _ step: Step, to writer: SafetensorsWriter, _ unread: inout [String], _ progress: (Int) throws -> Void
    ) throws {
        switch step {
        case .copy(let tensor, let name):
            for start in stride(from: 0, to: tensor.byteCount, by: Self.pieceByteCount) {
                let end = min(start + Self.pieceByteCount, tensor.byteCount)
                try tensor.withBytes { bytes in
                    try writer.write(
                        UnsafeRawBufferPointer(rebasing: bytes[start..<end]), to: name, at: start)
                }
                try progress(end - start)
            }
            tensor.release()
        case .quantize(let blocks, let place, let matrix):
            var start = 0
            for block in blocks {
                try quantize(block, place, matrix, from: start, to: writer, &unread, progress)
                start += block.shape[0]
                block.release?()
            }
        case .vector(let vector):
            try write(vector.values, as: ofRest, to: vector.name, at: 0, writer)
        case .matrix(let matrix):
            try write(matrix, to: writer, &unread, progress)
            for part in matrix.parts { part.source.release?() }
        }
    }

    /// A matrix that is put together, a piece at a time.
    private func write(
        _ matrix: CheckpointTranslation.Matrix, to writer: SafetensorsWriter, _ unread: inout [String],
        _ progress: (Int) throws -> Void
    ) throws {
        let (stored, rows) = (matrix.stored, matrix.stored.view.storedOutputs)
        let done = matrix.parts.reduce(0) { $0 + $1.source.bytes.count } / max(rows, 1)
        let name = StoredMatrix.name(stored.parts[0].name, in: matrix.place)
        let type = type(of: matrix)
        // What stands by inputs is turned as a whole.
        let most = stored.view.isTransposed ? rows / stored.stack : max(Self.pieceByteCount / (stored.inputs * 4), 1)
        for piece in Self.pieces(of: rows, stack: stored.stack, most: most) {
            let first = piece.lowerBound
            let values = try matrix.floats(piece, by: quantizer)
            if stored.quantization != nil {
                try values.withUnsafeBytes { bytes in
                    let source = try WeightSource(
                        name: matrix.place, bytes: bytes, owner: values,
                        shape: Shape([piece.count, stored.inputs]), format: .float32)
                    try quantize(
                        source, matrix.place, stored, from: first, origin: matrix.origin(ofRow: first), to: writer,
                        &unread
                    ) { _ in }
                }
            } else {
                let turned = stored.view.isTransposed ? Self.turned(values, rows: piece.count) : values
                try write(turned, as: type, to: name, at: first * stored.inputs * type.bitCount / 8, writer)
            }
            try progress(done * piece.count)
        }
    }

    private static func turned(_ values: [Float], rows: Int) -> [Float] {
        let columns = values.count / max(rows, 1)
        return (0..<columns).flatMap { column in (0..<rows).map { values[$0 * columns + column] } }
    }

    private func write(
        _ values: [Float], as type: StoredDType, to name: String, at place: Int, _ writer: SafetensorsWriter
    ) throws {
        switch type {
        case .bfloat16:
            try values.map { HalfPrecision.bfloat16($0) }.withUnsafeBytes { try writer.write($0, to: name, at: place) }
        case .float16:
            try values.map { HalfPrecision.float16($0) }.withUnsafeBytes { try writer.write($0, to: name, at: place) }
        default: try values.withUnsafeBytes { try writer.write($0, to: name, at: place) }
        }
    }

    /// Rows that are rounded together: never of two matrices of a stack, which take different inputs.
    private static func pieces(of rows: Int, stack: Int, most: Int) -> [Range<Int>] {
        let each = max(rows / max(stack, 1), 1)
        return stride(from: 0, to: rows, by: each).flatMap { start in
            let end = min(start + each, rows)
            return stride(from: start, to: end, by: max(most, 1)).map { $0..<min($0 + max(most, 1), end) }
        }
    }

    /// - Parameter origin: where the inputs of the weight are known by, if not by its own.
    private func quantize(
        _ weight: WeightSource, _ place: String, _ matrix: StoredMatrix, from start: Int,
        origin: (name: String, row: Int)? = nil, to writer: SafetensorsWriter, _ unread: inout [String],
        _ progress: (Int) throws -> Void
    ) throws {
        guard let format = matrix.quantization ?? self.format.quantization else { return }
        let rowBytes = max(weight.format.rowByteCount(inputs: matrix.inputs), 1)
        var spread: (of: InputMoments.Sums, ErrorSpread)?
        let stack = weight.shape[0] == matrix.view.storedOutputs ? matrix.stack : 1
        for rows in Self.pieces(of: weight.shape[0], stack: stack, most: Self.pieceByteCount / rowBytes) {
            let first = rows.lowerBound
            var sums: InputMoments.Sums?
            if format == .int4, let moments {
                let row = origin?.row ?? weight.originRows.lowerBound + first
                sums = moments.sums(ofRow: row, of: origin?.name ?? weight.origin)
                if sums == nil, unread.last != place { unread.append(place) }
            }
            if let sums, spread?.of !== sums { spread = (sums, quantizer.spread(sums)) }
            let result = try quantizer.quantize(weight, rows: rows, as: format, spread: sums == nil ? nil : spread?.1)
            if let row = result.scales.firstIndex(where: { !$0.isFinite }) {
                throw CheckpointError.weights(
                    "\(directory): tensor '\(weight.name)': output \(first + row) has a weight that is no finite "
                        + "number, which integers cannot stand for")
            }
            try result.values.withUnsafeBytes {
                try writer.write(
                    $0, to: "\(place).\(StoredMatrix.weight)", at: (start + first) * ($0.count / rows.count))
            }
            try result.scales.withUnsafeBytes {
                try writer.write($0, to: "\(place).\(StoredMatrix.scale)", at: (start + first) * 4)
            }
            if format == .int4 {
                try result.grids.withUnsafeBytes {
                    try writer.write(
                        $0, to: "\(place).\(StoredMatrix.grids)", at: (start + first) * ($0.count / rows.count))
                }
            }
            try progress(rows.count * rowBytes)
        }
    }
}
